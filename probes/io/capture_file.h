#pragma once

#include "probes/io/capture_source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// Capture files (pcap and pcapng, each plain or gzip) read as one, in the order of their stamps. Within a file the
// order stays as it was written.
class CaptureFiles {
 public:
  enum class Next : std::uint8_t { frame, end, error };

  // "-" is standard input. All or none: each file is read up to its first packet, and one that cannot be read so far is
  // the error, one sentence that names the file.
  static boost::system::result<CaptureFiles, std::string> open(std::span<const std::string> paths);

  // The frame's bytes live until the next call. After an error, error() tells, and calling again goes on with the other
  // files.
  Next next(CapturedFrame& frame);
  const std::string& error() const { return error_; }
  // Files that end in the middle of a packet, as those of a capture that was killed do: their whole packets are given.
  const std::vector<std::string>& truncated() const { return truncated_; }
  // How large the files are together, as they lie on the disk, packed ones packed; 0 where one is no regular file. And
  // how much of that is read.
  std::uint64_t total_bytes() const { return sizes_known_ ? total_bytes_ : 0; }
  std::uint64_t position() const;
  // Sentences about what of the files that ended was not given, though it could be read.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  struct File {
    std::string name;
    int descriptor = -1;             // of the FILE, for how far it is read
    std::unique_ptr<char[]> buffer;  // of the FILE that the source closes: declared before it
    std::unique_ptr<CaptureSource> source;
    CapturedFrame head;
    bool ended = false;
  };

  bool add(const std::string& path, std::size_t buffer_size);
  bool read(File& file, CapturedFrame& frame);

  std::vector<File> files_;
  std::uint64_t total_bytes_ = 0;
  bool sizes_known_ = true;
  File* given_ = nullptr;  // whose head the caller has
  std::string error_;
  std::vector<std::string> truncated_;
  std::vector<std::string> left_out_;
};

}  // namespace tunnelwatch::io
