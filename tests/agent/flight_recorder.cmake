tunnelwatch_test(flight_recorder_test
  SOURCES
    flight_recorder_test.cpp
    recording_files_test.cpp
    recording/packet_ring_test.cpp
    recording/recording_test.cpp
  LIBRARIES tunnelwatch::flight_recorder tunnelwatch::wire tunnelwatch_asio)

# On a small file system of its own: for root, and a failure where that is not given.
add_executable(recording_files_root_test recording_files_root_test.cpp)
target_link_libraries(recording_files_root_test PRIVATE tunnelwatch::flight_recorder GTest::gtest_main)
gtest_discover_tests(recording_files_root_test TEST_PREFIX recording_files_root_test.
  PROPERTIES LABELS root TIMEOUT 60 DISCOVERY_TIMEOUT 60)
