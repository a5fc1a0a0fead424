#include "probes/io/followed_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tunnelwatch::io {

using namespace std::chrono_literals;

namespace {

// Between the old file's new name and the new file a rotation takes less.
constexpr Duration kRotation = 10s;

}  // namespace

FollowedFile::FollowedFile(std::string path) : path_(std::move(path)) {}
FollowedFile::~FollowedFile() { close(); }

void FollowedFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool FollowedFile::open() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) {
    const int error = errno;
    close();
    error_ = std::strerror(error);
    first_ = first_ && error != ENOENT;  // one that comes later is new from its top
    return false;
  }
  if (!S_ISREG(status.st_mode)) {
    error_ = "is no regular file";
    close();
    return false;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  offset_ = first_ ? lseek(fd_, 0, SEEK_END) : 0;
  first_ = false;
  gone_since_.reset();
  error_.clear();
  return true;
}

// Whether all was read.
bool FollowedFile::read(std::size_t most, const host::LineSplitter::Tell& tell) {
  std::array<char, 16384> piece;
  while (most > 0) {
    const ssize_t size = ::read(fd_, piece.data(), std::min(piece.size(), most));
    if (size < 0 && errno != EAGAIN && errno != EINTR) error_ = std::strerror(errno);
    if (size <= 0) return true;
    offset_ += size;
    most -= static_cast<std::size_t>(size);
    splitter_.feed({piece.data(), static_cast<std::size_t>(size)}, tell);
  }
  return false;
}

void FollowedFile::look_for_another(TimePoint now, const host::LineSplitter::Tell& tell) {
  struct stat named {};
  if (stat(path_.c_str(), &named) != 0) {
    if (!gone_since_) gone_since_ = now;
    if (now - *gone_since_ > kRotation) error_ = std::strerror(errno);
    return;
  }
  gone_since_.reset();
  if (named.st_dev == device_ && named.st_ino == inode_) {
    if (named.st_size >= offset_) return;
    offset_ = lseek(fd_, 0, SEEK_SET);
    splitter_.finish(tell);
    return;
  }
  splitter_.finish(tell);
  close();
  open();
}

void FollowedFile::poll(TimePoint now, std::size_t most, const host::LineSplitter::Tell& tell) {
  if (fd_ < 0 && !open()) return;
  if (!read(most, tell)) return;
  look_for_another(now, tell);
}

}  // namespace tunnelwatch::io
