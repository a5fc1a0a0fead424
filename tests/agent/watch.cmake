tunnelwatch_test(watch_test
  SOURCES readme_test.cpp rules_test.cpp traffic_bgp_test.cpp traffic_esp_test.cpp traffic_inner_test.cpp traffic_leak_test.cpp traffic_ping_test.cpp traffic_rate_test.cpp watch_v1_test.cpp watch_v2_test.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::wire)
