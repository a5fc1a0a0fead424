tunnelwatch_test(pcapng_test SOURCES pcapng_test.cpp pcapng_clock_test.cpp LIBRARIES tunnelwatch::pcapng)
