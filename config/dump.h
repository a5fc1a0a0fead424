#pragma once

#include "config/settings.h"

#include <string>

namespace tunnelwatch::config {

// The effective settings as YAML, every key in the order of the tables; optional values that are not set are left out.
// load_text reads it back to the same settings, within its bounds on one file.
std::string dump(const Settings& settings);

}  // namespace tunnelwatch::config
