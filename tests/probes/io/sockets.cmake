tunnelwatch_test(io_resolver_test
  SOURCES resolver_test.cpp socket_message_test.cpp
  LIBRARIES tunnelwatch::io_sockets tunnelwatch_asio)

# Raw sockets in network namespaces of their own: for root, and a failure where that is not given.
add_executable(io_sockets_root_test
  esp_socket_test.cpp
  icmp_socket_test.cpp
  ike_responder_test.cpp
  net_namespace.cpp
  raw_socket_test.cpp
  udp_socket_test.cpp)
target_link_libraries(io_sockets_root_test PRIVATE tunnelwatch::options tunnelwatch::io_sockets tunnelwatch_asio
  GTest::gmock GTest::gtest_main)
gtest_discover_tests(io_sockets_root_test TEST_PREFIX io_sockets_root_test.
  PROPERTIES LABELS root TIMEOUT 60 DISCOVERY_TIMEOUT 60)
