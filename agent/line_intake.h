#pragma once

#include "agent/diagnosis/log_hit.h"
#include "exporters/report.h"
#include "probes/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tunnelwatch::agent {

class Watch;

// What became of a line. Enumerators are label values.
enum class LogLineOutcome : std::uint8_t {
  ordinary,    // it names no cause
  assigned,    // the cause that it names is told of its tunnel
  unassigned,  // nobody knows whose it is
  dropped,     // more came than is looked at
};
inline constexpr std::size_t kLogLineOutcomeCount = 4;
std::string_view to_string(LogLineOutcome outcome);

// Lines of logs on their way to the watch, no more of them than is reasonable, counted by what became of them.
class LineIntake {
 public:
  explicit LineIntake(Watch& watch) : watch_(watch) {}

  void take(diagnosis::LogReader& reader, std::string_view line, diagnosis::LogTeller teller, TimePoint now);
  // One that was read already.
  void take(const diagnosis::LogHit& hit, TimePoint now);
  void count(LogLineOutcome outcome) { ++outcomes_[static_cast<std::size_t>(outcome)]; }

  std::uint64_t count_of(LogLineOutcome outcome) const { return outcomes_[static_cast<std::size_t>(outcome)]; }
  // Adds to what others reported.
  void report(exporters::Report& report) const;

 private:
  bool may_take(TimePoint now);

  Watch& watch_;
  double tokens_ = 0;
  TimePoint tokens_at_{};
  std::array<std::uint64_t, kLogLineOutcomeCount> outcomes_{};
};

}  // namespace tunnelwatch::agent
