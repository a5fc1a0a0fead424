tunnelwatch_fuzz(endpoints_fuzz SOURCES endpoints_fuzz.cpp LIBRARIES tunnelwatch::exporters)
tunnelwatch_fuzz(http_session_fuzz SOURCES http_session_fuzz.cpp LIBRARIES tunnelwatch::exporters tunnelwatch_beast)
tunnelwatch_fuzz(report_fuzz SOURCES report_fuzz.cpp LIBRARIES tunnelwatch::exporters Boost::json)
