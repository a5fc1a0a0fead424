tunnelwatch_fuzz(config_fuzz SOURCES config_fuzz.cpp LIBRARIES tunnelwatch::config)
