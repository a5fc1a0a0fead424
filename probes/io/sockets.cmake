# Raw ICMP, UDP with its error queue, and names.
add_library(tunnelwatch_io_sockets STATIC
  esp_filter.cpp
  esp_socket.cpp
  icmp_filter.cpp
  icmp_socket.cpp
  interface_counters.cpp
  local_route.cpp
  raw_ip_sender.cpp
  raw_receiver.cpp
  local_addresses.cpp
  resolver.cpp
  socket_message.cpp
  tcp_stream.cpp
  udp_socket.cpp)
add_library(tunnelwatch::io_sockets ALIAS tunnelwatch_io_sockets)
target_link_libraries(tunnelwatch_io_sockets PUBLIC tunnelwatch::active Boost::headers PRIVATE tunnelwatch_asio)
