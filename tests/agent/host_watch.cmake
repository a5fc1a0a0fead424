# This machine's own state, from its files and sockets to the verdict.
tunnelwatch_test(host_watch_test SOURCES alert_watch_test.cpp daemon_rows_test.cpp daemon_totals_test.cpp daemon_watch_test.cpp log_watch_test.cpp way_changes_test.cpp
  LIBRARIES tunnelwatch::agent tunnelwatch::log tunnelwatch::io_host tunnelwatch::io_logs tunnelwatch_asio)
