# Observations -> three-valued facts -> rules -> verdict.
add_library(tunnelwatch_diagnosis STATIC
  ${CMAKE_CURRENT_LIST_DIR}/bgp_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/daemon_alerts.cpp
  ${CMAKE_CURRENT_LIST_DIR}/daemon_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/daemon_life.cpp
  ${CMAKE_CURRENT_LIST_DIR}/egress_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/esp_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/esp_reach.cpp
  ${CMAKE_CURRENT_LIST_DIR}/esp_traffic.cpp
  ${CMAKE_CURRENT_LIST_DIR}/flow_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/filter_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/forwarding_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/host_wording.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ike_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernel_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_findings.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_hit.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_proposals.cpp
  ${CMAKE_CURRENT_LIST_DIR}/own_policy_wording.cpp
  ${CMAKE_CURRENT_LIST_DIR}/path_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ping_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/probe_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/inner_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/leak_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/line_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/name_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/offer_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/rate_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/rules.cpp
  ${CMAKE_CURRENT_LIST_DIR}/traffic_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/traffic_wording.cpp
  ${CMAKE_CURRENT_LIST_DIR}/verdict.cpp
  ${CMAKE_CURRENT_LIST_DIR}/wording.cpp
  ${CMAKE_CURRENT_LIST_DIR}/xfrm_evidence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/xfrm_index.cpp
  ${CMAKE_CURRENT_LIST_DIR}/xfrm_wording.cpp)
add_library(tunnelwatch::diagnosis ALIAS tunnelwatch_diagnosis)
target_link_libraries(tunnelwatch_diagnosis
  PUBLIC tunnelwatch::options tunnelwatch::catalogue tunnelwatch::active tunnelwatch::host tunnelwatch::ike tunnelwatch::packets
  PRIVATE tunnelwatch::exporters tunnelwatch::wire fmt::fmt)
