#pragma once

#include "probes/wire/byte_reader.h"
#include "tests/fuzz/check.h"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace tunnelwatch::fuzz {

// A file in memory, with a path for what wants one.
class MemoryFile {
 public:
  explicit MemoryFile(wire::Bytes bytes) : fd_(memfd_create("input", MFD_CLOEXEC)) {
    check(fd_ >= 0 && ::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace tunnelwatch::fuzz
