# Logs as they are written: files, what a program prints, and syslog.
add_library(tunnelwatch_io_logs STATIC child_output.cpp followed_file.cpp syslog_listener.cpp)
add_library(tunnelwatch::io_logs ALIAS tunnelwatch_io_logs)
target_link_libraries(tunnelwatch_io_logs PUBLIC tunnelwatch::host tunnelwatch::config Boost::headers PRIVATE tunnelwatch_asio)
