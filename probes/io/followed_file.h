#pragma once

#include "probes/host/line_splitter.h"
#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace tunnelwatch::io {

// The lines that are added to a file, as `tail -F` shows them: what stands in it at the beginning is history, a file
// that takes its name later is read from its top, behind the rest of the one before, and one that is cut begins anew.
// It is asked, it does not wait; each call costs two system calls while nothing happens.
class FollowedFile {
 public:
  explicit FollowedFile(std::string path);
  ~FollowedFile();
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  // Tells what was added, at most `most` bytes of it; the rest comes with the next call.
  void poll(TimePoint now, std::size_t most, const host::LineSplitter::Tell& tell);

  const std::string& path() const { return path_; }
  // Why it cannot be read now; empty: it can.
  const std::string& error() const { return error_; }

 private:
  bool open();
  bool read(std::size_t most, const host::LineSplitter::Tell& tell);
  void look_for_another(TimePoint now, const host::LineSplitter::Tell& tell);
  void close();

  std::string path_;
  int fd_ = -1;
  bool first_ = true;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::int64_t offset_ = 0;
  std::optional<TimePoint> gone_since_;  // its name, while nothing else has taken it
  std::string error_;
  host::LineSplitter splitter_;
};

}  // namespace tunnelwatch::io
