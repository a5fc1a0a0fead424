tunnelwatch_fuzz(ovpn_profile_fuzz SOURCES ovpn_profile_fuzz.cpp LIBRARIES tunnelwatch::ovpn)
tunnelwatch_fuzz(openvpn_fuzz SOURCES openvpn_fuzz.cpp LIBRARIES tunnelwatch::openvpn_hello)
