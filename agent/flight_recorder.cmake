# Log lines on stderr.
add_library(tunnelwatch_log STATIC log.cpp)
add_library(tunnelwatch::log ALIAS tunnelwatch_log)
target_link_libraries(tunnelwatch_log PUBLIC tunnelwatch::config PRIVATE spdlog::spdlog fmt::fmt)

# The last IKE packets of each tunnel: what is kept and when it is written (pure), and the files.
add_library(tunnelwatch_flight_recorder STATIC
  flight_recorder.cpp
  recording/packet_ring.cpp
  recording/recording.cpp
  recording_files.cpp
  recording_writer.cpp)
add_library(tunnelwatch::flight_recorder ALIAS tunnelwatch_flight_recorder)
target_link_libraries(tunnelwatch_flight_recorder
  PUBLIC tunnelwatch::watch
  PRIVATE tunnelwatch::log tunnelwatch_asio fmt::fmt)
