# Sockets of this machine: the IKE daemon's, and the kernel's.
add_library(tunnelwatch_io_host STATIC conntrack_socket.cpp filter_socket.cpp netlink_channel.cpp netlink_socket.cpp proc_net.cpp queue_socket.cpp unix_stream.cpp xfrm_socket.cpp)
add_library(tunnelwatch::io_host ALIAS tunnelwatch_io_host)
target_link_libraries(tunnelwatch_io_host PUBLIC tunnelwatch::host Boost::headers PRIVATE tunnelwatch_asio)
