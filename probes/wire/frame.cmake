# From a frame to what it is to us: link, IP, UDP, ICMP, ESP, and TCP with BGP; and back to a capture file.
add_library(tunnelwatch_frame STATIC link.cpp ip.cpp udp.cpp icmp.cpp tcp.cpp bgp.cpp frame.cpp ip_packet.cpp pcap.cpp esp_echo.cpp)
add_library(tunnelwatch::frame ALIAS tunnelwatch_frame)
target_link_libraries(tunnelwatch_frame PUBLIC tunnelwatch::options tunnelwatch::config Boost::headers)
