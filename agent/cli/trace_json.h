#pragma once

#include "agent/path_probe.h"

#include <string>

namespace tunnelwatch::cli {

// A finished trace as one JSON object; the README tells its form. `peer` as the person wrote it.
std::string trace_json(const std::string& peer, const agent::PathProbe& probe);

}  // namespace tunnelwatch::cli
