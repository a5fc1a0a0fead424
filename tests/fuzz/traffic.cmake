tunnelwatch_fuzz(bgp_fuzz SOURCES bgp_fuzz.cpp LIBRARIES tunnelwatch::packets)
tunnelwatch_fuzz(leak_fuzz SOURCES leak_fuzz.cpp LIBRARIES tunnelwatch::packets)
