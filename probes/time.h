#pragma once

#include <chrono>
#include <cstdint>

namespace tunnelwatch {

// Every time inside the agent. Live, it is the kernel's monotonic clock and a step of the wall clock changes nothing;
// offline, it is the packets' own stamp. Only the edge (reports, logs, files) turns it into wall time, with the offset
// of the WallClock that belongs to the source.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Wall time in nanoseconds since the epoch.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class WallClock {
 public:
  // For packets of a file: stamps are wall time already.
  static WallClock of_capture_file() { return WallClock{Duration::zero()}; }
  // For the running machine; made anew where a wall time is told, so that a corrected clock shows corrected times.
  static WallClock of_this_machine() {
    const auto wall = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const auto steady = std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
    return WallClock{wall.time_since_epoch() - steady.time_since_epoch()};
  }
  WallTime at(TimePoint t) const { return WallTime{t.time_since_epoch() + offset_}; }
  TimePoint from(WallTime t) const { return TimePoint{t.time_since_epoch() - offset_}; }

 private:
  explicit WallClock(Duration offset) : offset_(offset) {}
  Duration offset_;
};

inline double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace tunnelwatch
