#pragma once

#include <cstdio>
#include <string>

namespace tunnelwatch::io {

struct OpenedFile {
  std::FILE* file = nullptr;  // to be closed with fclose
  int descriptor = -1;        // the file's own, for its size and for how far it is read; open as long as `file`
};

// Opens a file, or standard input for "-", for reading; what gzip packed is unpacked on the way with small buffers.
// What comes through a pipe is given as it comes. A null file with errno set when it cannot be opened. Where the packed
// data is damaged or ends early, reading fails with EBADMSG, behind all that could be unpacked.
OpenedFile open_maybe_gzip(const std::string& path);

}  // namespace tunnelwatch::io
