#pragma once

#include "exporters/report.h"

namespace tunnelwatch::exporters {

// Seconds since the epoch. Whole seconds apart from the fraction: nanoseconds since 1970 do not fit a double.
inline double seconds_since_epoch(WallTime time) {
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t nanoseconds = time.time_since_epoch().count();
  return static_cast<double>(nanoseconds / second) + static_cast<double>(nanoseconds % second) / 1e9;
}

}  // namespace tunnelwatch::exporters
