tunnelwatch_test(frame_test SOURCES frame_test.cpp ip_packet_test.cpp LIBRARIES tunnelwatch::frame)
