tunnelwatch_fuzz(vici_fuzz SOURCES vici_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
