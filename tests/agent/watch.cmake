tunnelwatch_test(watch_test
  SOURCES analysis_test.cpp analysis_traffic_test.cpp daemon_evidence_test.cpp kernel_evidence_test.cpp progress_bar_test.cpp readme_test.cpp log_hit_test.cpp report_detail_test.cpp rules_test.cpp
          timeline_test.cpp traffic_bgp_test.cpp traffic_egress_test.cpp traffic_esp_test.cpp traffic_inner_test.cpp traffic_leak_test.cpp traffic_log_test.cpp traffic_ping_test.cpp
          traffic_rate_test.cpp tunnel_list_test.cpp watch_v1_test.cpp watch_v2_test.cpp wire_rows_test.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::terminal tunnelwatch::wire tunnelwatch_bench_traffic ZLIB::ZLIB OpenSSL::Crypto)
