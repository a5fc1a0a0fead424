tunnelwatch_test(ovpn_test
  SOURCES ovpn_check_test.cpp ovpn_files_test.cpp ovpn_judge_test.cpp ovpn_probe_test.cpp
  LIBRARIES tunnelwatch::ovpn tunnelwatch_asio Boost::json OpenSSL::SSL OpenSSL::Crypto)
