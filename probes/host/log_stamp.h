#pragma once

#include "probes/time.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace tunnelwatch::host {

// When a log line says that it was written, as far as it says so. Daemons and devices leave out the year (RFC 3164),
// the zone, or the whole day (charon's own file).
struct LogStamp {
  std::optional<int> year;
  std::optional<unsigned> month;  // 1 to 12; given together with the day
  unsigned day = 0;
  Duration of_day{};                         // since midnight
  std::optional<std::chrono::seconds> zone;  // east of UTC; nothing: the clock on the wall of whoever wrote it
};

// The first stamp of the line: RFC 3339, "2025/02/05 10:00:00", "Feb  5 10:00:00" with or without a year, "Feb 05,
// 2025, 10:00:00", "10:00:00.123" at the very beginning, or seconds since the epoch there.
std::optional<LogStamp> find_stamp(std::string_view line);

// What the stamp leaves out is what makes it nearest to `reference`; a clock without a zone is `local` east of UTC.
WallTime resolve(const LogStamp& stamp, WallTime reference, std::chrono::seconds local);

}  // namespace tunnelwatch::host
