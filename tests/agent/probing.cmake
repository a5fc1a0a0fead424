tunnelwatch_test(probing_test SOURCES probing/echo_driver_test.cpp probing/name_watch_test.cpp probing/round_trips_test.cpp
  LIBRARIES tunnelwatch::name_watch tunnelwatch::agent)
