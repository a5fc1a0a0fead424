tunnelwatch_test(packets_test
  SOURCES
    bgp_sessions_test.cpp
    esp_sequence_test.cpp
    leak_tracker_test.cpp
    offers_test.cpp
    outer_paths_test.cpp
    packet_front_test.cpp
    reassembly_test.cpp
    tunnel_pings_test.cpp
  LIBRARIES tunnelwatch::ike tunnelwatch::packets)
