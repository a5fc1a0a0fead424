#pragma once

#include <cstdio>
#include <string>

namespace tunnelwatch::io {

// Opens a file, or standard input for "-", for reading; what gzip packed is unpacked on the way with zlib's own small
// buffers. Null with errno set when it cannot be opened. Where the packed data is damaged or ends early, reading fails
// with EBADMSG, behind all that could be unpacked. To be closed with fclose.
std::FILE* open_maybe_gzip(const std::string& path);

}  // namespace tunnelwatch::io
