tunnelwatch_fuzz(frame_fuzz SOURCES frame_fuzz.cpp LIBRARIES tunnelwatch::frame)
tunnelwatch_fuzz(reassembly_fuzz SOURCES reassembly_fuzz.cpp LIBRARIES tunnelwatch::packets)
tunnelwatch_fuzz(esp_sequence_fuzz SOURCES esp_sequence_fuzz.cpp LIBRARIES tunnelwatch::packets)
