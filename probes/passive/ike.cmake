# The trackers of IKE: pure machines, fed with packets.
add_library(tunnelwatch_ike STATIC
  ike_lengths.cpp
  ike_observation.cpp
  ike_peer.cpp
  ike_peer_learning.cpp
  ike_peer_oddities.cpp
  ike_peer_scans.cpp
  ike_tracker.cpp
  ike_v1_inner.cpp
  ike_v1_session.cpp
  ike_v2_auth.cpp
  ike_v2_life.cpp
  ike_v2_session.cpp
  nat_detection.cpp
  offers.cpp)
add_library(tunnelwatch::ike ALIAS tunnelwatch_ike)
target_link_libraries(tunnelwatch_ike PUBLIC tunnelwatch::wire PRIVATE OpenSSL::Crypto fmt::fmt)
