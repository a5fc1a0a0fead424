tunnelwatch_test(capture_test SOURCES capture_file_test.cpp capture_filter_test.cpp pcapng_source_test.cpp default_interfaces_test.cpp
  LIBRARIES tunnelwatch::io_capture PkgConfig::PCAP ZLIB::ZLIB)

# In network namespaces of its own making: needs root, and fails without.
add_executable(live_capture_test live_capture_test.cpp)
target_link_libraries(live_capture_test PRIVATE tunnelwatch::io_capture tunnelwatch_asio GTest::gtest_main)
gtest_discover_tests(live_capture_test TEST_PREFIX live_capture_test.
  PROPERTIES LABELS root TIMEOUT 60 DISCOVERY_TIMEOUT 60)
