tunnelwatch_fuzz(icmp_echo_fuzz SOURCES icmp_echo_fuzz.cpp LIBRARIES tunnelwatch::active)
tunnelwatch_fuzz(ike_probe_fuzz SOURCES ike_probe_fuzz.cpp LIBRARIES tunnelwatch::active)
tunnelwatch_fuzz(path_fuzz SOURCES path_fuzz.cpp LIBRARIES tunnelwatch::active)
tunnelwatch_fuzz(esp_echo_fuzz SOURCES esp_echo_fuzz.cpp LIBRARIES tunnelwatch::active)
