tunnelwatch_test(watch_test
  SOURCES watch_v2_test.cpp rules_test.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::wire)
