#pragma once

#include "probes/time.h"

#include <chrono>

namespace tunnelwatch::agent {

inline TimePoint steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace tunnelwatch::agent
