tunnelwatch_fuzz(ovpn_profile_fuzz SOURCES ovpn_profile_fuzz.cpp LIBRARIES tunnelwatch::ovpn)
