tunnelwatch_fuzz(log_fuzz SOURCES log_fuzz.cpp LIBRARIES tunnelwatch::catalogue)
tunnelwatch_fuzz(log_story_fuzz SOURCES log_story_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(recording_fuzz SOURCES recording_fuzz.cpp LIBRARIES tunnelwatch::flight_recorder)
