#pragma once

#include "config/settings.h"

#include <optional>
#include <string>

namespace tunnelwatch::cli {

// Loads a configuration and prints what is wrong with it on stderr, all of it, one problem a line.
std::optional<config::Settings> load_config(const std::string& path);

}  // namespace tunnelwatch::cli
