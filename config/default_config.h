#pragma once

#include "config/settings.h"

namespace tunnelwatch::config {

// What the agent runs with where no file is given: it captures on every interface that has a default route, discovers
// peers from the traffic, and probes them and the public references.
inline Settings default_config() { return Settings{}; }

}  // namespace tunnelwatch::config
