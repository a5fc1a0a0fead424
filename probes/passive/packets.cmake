# Fragments, ESP streams, what is looked for in the traffic beside IKE, and the front end that feeds them.
add_library(tunnelwatch_packets STATIC
  bgp_sessions.cpp
  esp_sequence.cpp
  esp_streams.cpp
  leak_tracker.cpp
  outer_paths.cpp
  packet_front.cpp
  reassembly.cpp
  tunnel_pings.cpp)
add_library(tunnelwatch::packets ALIAS tunnelwatch_packets)
target_link_libraries(tunnelwatch_packets PUBLIC tunnelwatch::options tunnelwatch::frame)
