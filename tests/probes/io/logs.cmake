tunnelwatch_test(io_logs_test
  SOURCES child_output_test.cpp followed_file_test.cpp syslog_listener_test.cpp
  LIBRARIES tunnelwatch::io_logs tunnelwatch_asio)

# The kernel's tables, in a network namespace of its own: for root, and a failure where that is not given.
add_executable(io_host_root_test conntrack_socket_test.cpp filter_socket_test.cpp net_namespace.cpp netlink_socket_test.cpp xfrm_socket_test.cpp)
target_link_libraries(io_host_root_test PRIVATE tunnelwatch::options tunnelwatch::io_host GTest::gmock GTest::gtest_main)
gtest_discover_tests(io_host_root_test TEST_PREFIX io_host_root_test.
  PROPERTIES LABELS root TIMEOUT 60 DISCOVERY_TIMEOUT 60)
