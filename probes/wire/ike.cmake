# The ISAKMP message of both versions: its payloads as values and views, the registries' names, one line for people.
add_library(tunnelwatch_wire STATIC
  ike.cpp
  ike_control.cpp
  ike_describe.cpp
  ike_describe_notify.cpp
  ike_describe_payload.cpp
  ike_identity.cpp
  ike_names.cpp
  ike_names_v1.cpp
  ike_notify_data.cpp
  ike_notify_names.cpp
  ike_payloads.cpp
  ike_phase2.cpp
  ike_selectors.cpp
  ike_vendor_ids.cpp)
add_library(tunnelwatch::wire ALIAS tunnelwatch_wire)
target_link_libraries(tunnelwatch_wire PUBLIC tunnelwatch::options tunnelwatch::observation Boost::headers PRIVATE fmt::fmt)
