tunnelwatch_fuzz(ike_fuzz SOURCES ike_fuzz.cpp LIBRARIES tunnelwatch::wire)
tunnelwatch_fuzz(watch_fuzz SOURCES watch_fuzz.cpp LIBRARIES tunnelwatch::watch)
tunnelwatch_fuzz(timeline_fuzz SOURCES timeline_fuzz.cpp LIBRARIES tunnelwatch::watch)
