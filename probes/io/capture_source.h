#pragma once

#include "probes/time.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/link.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// One packet of a capture file. The bytes live until the file is read on.
struct CapturedFrame {
  wire::LinkType link = wire::LinkType::unsupported;
  wire::LinkDirection direction = wire::LinkDirection::unknown;  // as the file notes it beside the packet
  wire::Bytes bytes;
  std::uint32_t wire_length = 0;
  TimePoint at{};        // the file's stamp: nanoseconds since the epoch
  std::size_t file = 0;  // index into the paths given
};

// One capture file, packet by packet, in bounded memory whatever it holds.
class CaptureSource {
 public:
  enum class Next : std::uint8_t {
    frame,
    end,
    truncated,  // the end, in the middle of a packet, as when the capture was killed
    error,      // the file cannot be read from here on: error() tells
  };

  CaptureSource() = default;
  CaptureSource(const CaptureSource&) = delete;
  CaptureSource& operator=(const CaptureSource&) = delete;
  virtual ~CaptureSource() = default;

  // Sets all of the frame but its file. After anything but a frame, the file is not to be read again.
  virtual Next next(CapturedFrame& frame) = 0;
  // What stands after "the file could not be read: ".
  virtual std::string error() const = 0;
  // What of the file was left out without being an error; empty: nothing.
  virtual std::string left_out() const { return {}; }
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

// For all that libpcap reads, in practice classic pcap. The error is libpcap's, or names a link type that is not read.
boost::system::result<std::unique_ptr<CaptureSource>, std::string> open_pcap(FileHandle file);

// For pcapng, that of several interfaces, byte orders and sections too, which libpcap does not read. Packets of a link
// type that is not read are left out; a file that has no others is an error. `as_it_comes`: from a pipe, each packet is
// given as soon as it is there.
std::unique_ptr<CaptureSource> open_pcapng(FileHandle file, bool as_it_comes);

// The name of a LINKTYPE as tcpdump and Wireshark show it, or its number.
std::string link_type_name(int link_type);

}  // namespace tunnelwatch::io
