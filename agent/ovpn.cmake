# What an OpenVPN profile is checked for, with what its servers say, read from files and told to a person.
add_library(tunnelwatch_ovpn STATIC
  ${CMAKE_CURRENT_LIST_DIR}/cli/ovpn_report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_check.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_files.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_judge.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_probe.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_words.cpp)
add_library(tunnelwatch::ovpn ALIAS tunnelwatch_ovpn)
target_link_libraries(tunnelwatch_ovpn
  PUBLIC tunnelwatch::options tunnelwatch::catalogue tunnelwatch::ovpn_profile tunnelwatch::openvpn_hello
    tunnelwatch::exporters
  PRIVATE tunnelwatch::openvpn tunnelwatch::io_sockets tunnelwatch_asio Boost::json fmt::fmt)
