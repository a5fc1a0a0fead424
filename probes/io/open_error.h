#pragma once

#include <string>

namespace tunnelwatch::io {

// Why something of the system could not be opened, as a sentence for the operator, with the errno it came from.
struct OpenError {
  int error = 0;
  std::string sentence;
};

}  // namespace tunnelwatch::io
