# What an OpenVPN profile is checked for, read from files and told to a person.
add_library(tunnelwatch_ovpn STATIC
  ${CMAKE_CURRENT_LIST_DIR}/cli/ovpn_report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_check.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_files.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ovpn_words.cpp)
add_library(tunnelwatch::ovpn ALIAS tunnelwatch_ovpn)
target_link_libraries(tunnelwatch_ovpn
  PUBLIC tunnelwatch::options tunnelwatch::catalogue tunnelwatch::ovpn_profile tunnelwatch::exporters
  PRIVATE tunnelwatch::openvpn Boost::json fmt::fmt)
