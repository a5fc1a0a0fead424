#include "agent/cli/config_file.h"

#include "config/load.h"

#include <fmt/format.h>

namespace tunnelwatch::cli {

std::optional<config::Settings> load_config(const std::string& path) {
  auto loaded = config::load_file(path);
  for (const auto& w : loaded.warnings) fmt::print(stderr, "warning: {}\n", to_string(w));
  for (const auto& e : loaded.errors) fmt::print(stderr, "{}\n", to_string(e));
  return std::move(loaded.settings);
}

}  // namespace tunnelwatch::cli
