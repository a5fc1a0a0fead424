tunnelwatch_test(frame_test SOURCES bgp_test.cpp esp_echo_test.cpp frame_test.cpp ip_packet_test.cpp LIBRARIES tunnelwatch::frame)
