# Fragments, ESP streams and the front end that feeds them.
add_library(tunnelwatch_packets STATIC bgp_sessions.cpp reassembly.cpp esp_sequence.cpp esp_streams.cpp leak_tracker.cpp packet_front.cpp
  tunnel_pings.cpp)
add_library(tunnelwatch::packets ALIAS tunnelwatch_packets)
target_link_libraries(tunnelwatch_packets PUBLIC tunnelwatch::options tunnelwatch::frame)
