#include "probes/io/gzip_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <stdio.h>  // fopencookie
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

#include <climits>

namespace tunnelwatch::io {

namespace {

using Head = std::array<std::uint8_t, 2>;
constexpr Head kGzip{0x1f, 0x8b};

ssize_t read_some(int fd, void* buffer, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

// A regular file that is packed: zlib's own reader, which may wait until it has all that was asked for.
ssize_t read_packed(void* cookie, char* buffer, std::size_t size) {
  const auto wanted = static_cast<unsigned>(std::min<std::size_t>(size, INT_MAX));
  const int got = gzread(static_cast<gzFile>(cookie), buffer, wanted);
  int error = Z_OK;
  gzerror(static_cast<gzFile>(cookie), &error);
  // At an end before the end zlib says Z_BUF_ERROR, and hands out what came before as if all were well.
  if (got < 0 || (got == 0 && error == Z_BUF_ERROR)) {
    if (error != Z_ERRNO) errno = EBADMSG;
    return -1;
  }
  return got;
}

int close_packed(void* cookie) { return gzclose(static_cast<gzFile>(cookie)) == Z_OK ? 0 : -1; }

// What comes through a pipe is handed on as it comes: whoever watches a live capture waits for no full buffer. The
// first bytes, read to see what it is, cannot be put back, so they stand in front.
class Pipe {
 public:
  Pipe(int fd, const Head& head, std::size_t size) : fd_(fd), packed_(size == head.size() && head == kGzip) {
    std::copy_n(head.begin(), size, input_.begin());
    in_.next_in = input_.data();
    in_.avail_in = static_cast<unsigned>(size);
    if (packed_ && inflateInit2(&in_, 16 + MAX_WBITS) != Z_OK) error_ = ENOMEM;
  }
  ~Pipe() {
    if (packed_) inflateEnd(&in_);
    ::close(fd_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  ssize_t read(char* buffer, std::size_t size) { return packed_ ? unpack(buffer, size) : copy(buffer, size); }

 private:
  ssize_t copy(char* buffer, std::size_t size) {
    if (in_.avail_in == 0) return read_some(fd_, buffer, size);
    const std::size_t n = std::min<std::size_t>(in_.avail_in, size);
    std::copy_n(in_.next_in, n, buffer);
    in_.next_in += n;
    in_.avail_in -= static_cast<unsigned>(n);
    return static_cast<ssize_t>(n);
  }

  ssize_t unpack(char* buffer, std::size_t size) {
    in_.next_out = static_cast<Bytef*>(static_cast<void*>(buffer));
    in_.avail_out = static_cast<unsigned>(std::min<std::size_t>(size, INT_MAX));
    const unsigned wanted = in_.avail_out;
    while (error_ == 0 && in_.avail_out == wanted) {
      if (in_.avail_in == 0 && !refill()) break;
      const int status = inflate(&in_, Z_NO_FLUSH);
      inside_ = status != Z_STREAM_END;
      // Another member may follow (RFC 1952 section 2.2).
      if (status == Z_STREAM_END) inflateReset(&in_);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) error_ = EBADMSG;
    }
    if (error_ != 0 && in_.avail_out == wanted) {
      errno = error_;
      return -1;
    }
    return static_cast<ssize_t>(wanted - in_.avail_out);
  }

  bool refill() {
    const ssize_t got = read_some(fd_, input_.data(), input_.size());
    if (got < 0) error_ = errno;
    if (got == 0 && inside_) error_ = EBADMSG;  // it ends before its end
    if (got <= 0) return false;
    in_.next_in = input_.data();
    in_.avail_in = static_cast<unsigned>(got);
    return true;
  }

  int fd_;
  bool packed_;
  bool inside_ = false;  // a member, behind its first byte
  int error_ = 0;        // an errno, told behind what could be unpacked
  z_stream in_{};
  std::array<std::uint8_t, 64 * 1024> input_{};
};

ssize_t read_pipe(void* cookie, char* buffer, std::size_t size) {
  return static_cast<Pipe*>(cookie)->read(buffer, size);
}

int close_pipe(void* cookie) {
  delete static_cast<Pipe*>(cookie);  // made in open_pipe; C keeps it in between
  return 0;
}

OpenedFile open_pipe(int fd) {
  Head head{};
  std::size_t size = 0;
  while (size < head.size()) {
    const ssize_t got = read_some(fd, head.data() + size, head.size() - size);
    if (got < 0) return {};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  auto pipe = std::make_unique<Pipe>(fd, head, size);
  std::FILE* file =
      fopencookie(pipe.get(), "rb", {.read = read_pipe, .write = nullptr, .seek = nullptr, .close = close_pipe});
  if (file != nullptr) pipe.release();
  return {file, fd};
}

OpenedFile open_packed(int fd) {
  gzFile packed = gzdopen(fd, "rb");
  if (packed == nullptr) {
    close(fd);
    errno = ENOMEM;
    return {};
  }
  gzbuffer(packed, 128 * 1024);
  std::FILE* file =
      fopencookie(packed, "rb", {.read = read_packed, .write = nullptr, .seek = nullptr, .close = close_packed});
  if (file == nullptr) gzclose(packed);
  return {file, fd};
}

// Of a regular file, from where it is to be read; nothing for what cannot be looked into.
std::optional<bool> is_packed(int fd) {
  struct stat status {};
  const off_t at = lseek(fd, 0, SEEK_CUR);
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || at < 0) return std::nullopt;
  Head head{};
  return pread(fd, head.data(), head.size(), at) == static_cast<ssize_t>(head.size()) && head == kGzip;
}

}  // namespace

OpenedFile open_maybe_gzip(const std::string& path) {
  const int fd = path == "-" ? dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const auto packed = is_packed(fd);
  if (!packed) {
    const OpenedFile opened = open_pipe(fd);
    if (opened.file == nullptr) {
      const int error = errno;
      close(fd);
      errno = error;
    }
    return opened;
  }
  if (*packed) return open_packed(fd);
  std::FILE* plain = fdopen(fd, "rb");
  if (plain == nullptr) close(fd);
  return {plain, fd};
}

}  // namespace tunnelwatch::io
