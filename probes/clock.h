#pragma once

#include "probes/time.h"

#include <chrono>

namespace tunnelwatch {

// The time now on the clock that every TimePoint of a running agent is of. For those who do I/O; machines are told it.
inline TimePoint steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace tunnelwatch
