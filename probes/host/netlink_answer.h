#pragma once

#include <cstddef>

namespace tunnelwatch::host {

// How the kernel ends what it was asked for.
struct NetlinkAnswer {
  bool ended = false;        // the kernel said so: a dump is whole
  int error = 0;             // errno, positive
  std::size_t messages = 0;  // of those that carry something
  bool malformed = false;    // what follows the first that does not fit is not looked at
};

}  // namespace tunnelwatch::host
