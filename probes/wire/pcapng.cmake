# The capture file format pcapng.
add_library(tunnelwatch_pcapng STATIC pcapng.cpp pcapng_clock.cpp)
add_library(tunnelwatch::pcapng ALIAS tunnelwatch_pcapng)
target_link_libraries(tunnelwatch_pcapng PUBLIC tunnelwatch::frame)
