#pragma once

#include "probes/time.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/link.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// One packet of a capture file. The bytes live until the next call of next().
struct CapturedFrame {
  wire::LinkType link = wire::LinkType::unsupported;
  wire::Bytes bytes;
  std::uint32_t wire_length = 0;
  TimePoint at{};        // the file's stamp: nanoseconds since the epoch
  std::size_t file = 0;  // index into the paths given
};

// Capture files (pcap and pcapng, each plain or gzip) read as one, in the order of their stamps. Within a file the
// order stays as it was written.
class CaptureFiles {
 public:
  enum class Next : std::uint8_t { frame, end, error };

  // "-" is standard input. All or none: the error is one sentence that names the file.
  static boost::system::result<CaptureFiles, std::string> open(std::span<const std::string> paths);
  CaptureFiles(CaptureFiles&&) noexcept;
  CaptureFiles& operator=(CaptureFiles&&) noexcept;
  ~CaptureFiles();

  // After an error, error() tells, and calling again goes on with the other files.
  Next next(CapturedFrame& frame);
  const std::string& error() const { return error_; }
  // Files that end in the middle of a packet, as those of a capture that was killed do: their whole packets are given.
  const std::vector<std::string>& truncated() const { return truncated_; }

 private:
  struct Source;

  CaptureFiles();
  bool read(std::size_t index, CapturedFrame& frame);
  Next next_of_one(CapturedFrame& frame);

  std::vector<Source> sources_;
  std::size_t current_ = 0;
  bool heads_read_ = false;
  std::string error_;
  std::vector<std::string> truncated_;
};

}  // namespace tunnelwatch::io
