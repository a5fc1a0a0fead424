tunnelwatch_test(io_logs_test
  SOURCES child_output_test.cpp followed_file_test.cpp syslog_listener_test.cpp
  LIBRARIES tunnelwatch::io_logs tunnelwatch_asio)
