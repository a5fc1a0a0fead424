#pragma once

#include "config/error.h"
#include "config/origins.h"
#include "config/settings.h"

#include <vector>

namespace tunnelwatch::config {

struct Findings {
  std::vector<ConfigError> errors;
  std::vector<ConfigError> warnings;  // allowed, but seldom meant
};

// What no single field can check. Pure. The origins give errors their place; a rule about a value that they call broken
// is left out, since its error is told already.
Findings validate(const Settings& settings, const Origins& origins = {});

}  // namespace tunnelwatch::config
