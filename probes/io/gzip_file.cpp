#include "probes/io/gzip_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <stdio.h>  // fopencookie
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

#include <climits>

namespace tunnelwatch::io {

namespace {

// gzread hands out plain bytes as they are when the data is no gzip.
ssize_t read_cookie(void* cookie, char* buffer, std::size_t size) {
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

int close_cookie(void* cookie) { return gzclose(static_cast<gzFile>(cookie)) == Z_OK ? 0 : -1; }

bool is_gzip(int fd) {
  std::array<std::uint8_t, 2> magic{};
  return pread(fd, magic.data(), magic.size(), 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

}  // namespace

OpenedFile open_maybe_gzip(const std::string& path) {
  const bool standard_input = path == "-";
  const int fd = standard_input ? dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  // A pipe cannot be looked into: zlib decides there.
  if (!standard_input && !is_gzip(fd)) {
    std::FILE* plain = fdopen(fd, "rb");
    if (plain == nullptr) close(fd);
    return {plain, fd};
  }
  gzFile packed = gzdopen(fd, "rb");
  if (packed == nullptr) {
    close(fd);
    errno = ENOMEM;
    return {};
  }
  gzbuffer(packed, 128 * 1024);
  std::FILE* file =
      fopencookie(packed, "rb", {.read = read_cookie, .write = nullptr, .seek = nullptr, .close = close_cookie});
  if (file == nullptr) gzclose(packed);
  return {file, fd};
}

}  // namespace tunnelwatch::io
