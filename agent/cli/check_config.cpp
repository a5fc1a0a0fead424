#include "agent/cli/commands.h"
#include "agent/cli/config_file.h"
#include "config/dump.h"

#include <fmt/format.h>

namespace tunnelwatch::cli {

int check_config(const CheckConfigArguments& arguments) {
  const auto settings = load_config(arguments.config);
  if (!settings) return exit_configuration;
  if (arguments.print) {
    fmt::print("{}", config::dump(*settings));
  } else {
    fmt::print("{}: good, {} tunnels, {} references\n", arguments.config, settings->tunnels.size(),
               settings->references.size());
  }
  return exit_ok;
}

}  // namespace tunnelwatch::cli
