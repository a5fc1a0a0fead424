# Packets from files and from interfaces, by libpcap.
add_library(tunnelwatch_io_capture STATIC
  gzip_file.cpp capture_file.cpp default_interfaces.cpp capture_handover.cpp capture_filter.cpp pcap_device.cpp
  live_capture.cpp)
add_library(tunnelwatch::io_capture ALIAS tunnelwatch_io_capture)
target_link_libraries(tunnelwatch_io_capture
  PUBLIC tunnelwatch::options tunnelwatch::frame tunnelwatch::packets
  PRIVATE PkgConfig::PCAP ZLIB::ZLIB tunnelwatch_asio fmt::fmt)
