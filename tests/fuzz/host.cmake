tunnelwatch_fuzz(vici_fuzz SOURCES vici_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(netlink_fuzz SOURCES netlink_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(xfrm_fuzz SOURCES xfrm_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
tunnelwatch_fuzz(filter_fuzz SOURCES filter_fuzz.cpp LIBRARIES tunnelwatch::diagnosis tunnelwatch::host)
