tunnelwatch_fuzz(ike_fuzz SOURCES ike_fuzz.cpp LIBRARIES tunnelwatch::wire)
tunnelwatch_fuzz(vendor_id_fuzz SOURCES vendor_id_fuzz.cpp LIBRARIES tunnelwatch::wire)
tunnelwatch_fuzz(nat_fuzz SOURCES nat_fuzz.cpp LIBRARIES tunnelwatch::ike tunnelwatch::wire)
tunnelwatch_fuzz(watch_fuzz SOURCES watch_fuzz.cpp LIBRARIES tunnelwatch::watch)
tunnelwatch_fuzz(timeline_fuzz SOURCES timeline_fuzz.cpp LIBRARIES tunnelwatch::watch)
tunnelwatch_fuzz(conversation_fuzz SOURCES conversation_fuzz.cpp conversation.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::wire Boost::json)
tunnelwatch_fuzz(analysis_fuzz SOURCES analysis_fuzz.cpp conversation.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::wire Boost::json)
