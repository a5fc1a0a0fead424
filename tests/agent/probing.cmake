tunnelwatch_test(probing_test SOURCES probing/name_watch_test.cpp probing/round_trips_test.cpp
  LIBRARIES tunnelwatch::name_watch tunnelwatch::agent)
