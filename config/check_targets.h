#pragma once

#include "config/origins.h"
#include "config/settings.h"
#include "config/validate.h"

namespace tunnelwatch::config {

// What no single field of targets and their groups can tell.
void check_targets(const Settings& settings, const Origins& origins, Findings& findings);

}  // namespace tunnelwatch::config
