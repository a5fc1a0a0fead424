# The ISAKMP message of both versions.
add_library(tunnelwatch_wire STATIC
  ike.cpp
  ike_names.cpp
  ike_payloads.cpp)
add_library(tunnelwatch::wire ALIAS tunnelwatch_wire)
target_link_libraries(tunnelwatch_wire PUBLIC tunnelwatch::options tunnelwatch::observation Boost::headers PRIVATE fmt::fmt)
