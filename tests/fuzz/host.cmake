tunnelwatch_fuzz(vici_fuzz SOURCES vici_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(netlink_fuzz SOURCES netlink_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(error_notify_fuzz SOURCES error_notify_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(redaction_fuzz SOURCES redaction_fuzz.cpp LIBRARIES tunnelwatch::bundle)
