#include "agent/cli/terminal.h"

#include <cstdlib>
#include <unistd.h>

namespace tunnelwatch::cli {

bool wants_colour() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace tunnelwatch::cli
