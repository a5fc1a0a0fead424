#pragma once

#include "probes/time.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tunnelwatch::cli {

// One line on a terminal that says how far a long reading is: percent, rate, time left. Text only; the caller prints it
// and tells the time.
//   analyze: 1.2 of 4.0 GB, 30 %, 310 MB/s, 9 s left
class ProgressBar {
 public:
  static constexpr std::uint64_t kWorthIt = 64 * 1024 * 1024;  // what is smaller is read before it is looked at

  explicit ProgressBar(TimePoint begun) : begun_(begun) {}

  // What to print now: the line in place of the one before. Nothing while it would change too often to be read.
  std::optional<std::string> update(std::uint64_t read, std::uint64_t total, TimePoint now);
  // What takes the line away again; empty where there is none.
  std::string erase() const;

 private:
  TimePoint begun_;
  std::optional<TimePoint> shown_;
};

}  // namespace tunnelwatch::cli
