tunnelwatch_test(ovpn_test
  SOURCES ovpn_check_test.cpp ovpn_files_test.cpp
  LIBRARIES tunnelwatch::ovpn Boost::json OpenSSL::Crypto)
