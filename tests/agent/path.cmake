tunnelwatch_test(path_words_test
  SOURCES path_evidence_test.cpp path_words_test.cpp
  LIBRARIES tunnelwatch::path tunnelwatch::terminal tunnelwatch::diagnosis)

# In network namespaces of its own: for root, and a failure where that is not given.
add_executable(path_watch_root_test path_watch_root_test.cpp ${PROJECT_SOURCE_DIR}/tests/probes/io/net_namespace.cpp)
target_link_libraries(path_watch_root_test PRIVATE tunnelwatch::agent tunnelwatch_asio GTest::gtest_main)
gtest_discover_tests(path_watch_root_test TEST_PREFIX path_watch_root_test.
  PROPERTIES LABELS root TIMEOUT 60 DISCOVERY_TIMEOUT 60)
