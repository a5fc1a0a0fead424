tunnelwatch_fuzz(pcapng_fuzz SOURCES pcapng_fuzz.cpp LIBRARIES tunnelwatch::pcapng)
