#include "agent/agent.h"
#include "agent/cli/commands.h"
#include "agent/cli/config_file.h"
#include "agent/log.h"
#include "config/default_config.h"

#include <exception>

#include <fmt/format.h>

namespace tunnelwatch::cli {

int run(const RunArguments& arguments) {
  config::Settings settings = config::default_config();
  if (!arguments.config.empty()) {
    auto loaded = load_config(arguments.config);
    if (!loaded) return exit_configuration;
    settings = std::move(*loaded);
  }
  log::initialize(settings.log_level);
  try {
    return agent::Agent(std::move(settings), arguments.config).run();
  } catch (const std::exception& e) {
    log::error("failed", "reason=" + log::quoted(e.what()));
    return 1;
  }
}

}  // namespace tunnelwatch::cli
