tunnelwatch_fuzz(leak_fuzz SOURCES leak_fuzz.cpp LIBRARIES tunnelwatch::packets)
