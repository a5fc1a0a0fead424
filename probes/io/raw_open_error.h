#pragma once

#include "probes/io/open_error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace tunnelwatch::io {

// Why a raw socket of this protocol cannot be had; a missing capability by its name.
inline OpenError raw_open_error(const std::string& protocol, const std::string& what, int error) {
  if (error == EPERM || error == EACCES) {
    return {error,
            "cannot open a raw " + protocol +
                " socket: CAP_NET_RAW is missing (run as root, or give the program or its service the capability)"};
  }
  return {error, "cannot " + what + " a raw " + protocol + " socket: " + std::strerror(error)};
}

}  // namespace tunnelwatch::io
