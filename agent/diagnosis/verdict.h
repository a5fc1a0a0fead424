#pragma once

#include "agent/diagnosis/rules.h"

#include <optional>
#include <vector>

namespace tunnelwatch::diagnosis {

// What became of one cause on one tunnel.
struct CauseHistory {
  Cause cause{};
  bool active = false;
  Confidence confidence = Confidence::possible;
  TimePoint first_seen{};
  TimePoint last_seen{};
  std::optional<TimePoint> cleared;
  std::vector<Text> evidence;
  std::size_t rank = 0;  // among the active ones, 0 best
};

struct VerdictChange {
  Cause cause;
  bool active;  // raised, or cleared
  TimePoint at;
};

// The causes of one tunnel over time: those that hold now, ranked, and those it recovered from.
class Verdict {
 public:
  // Takes the findings of now; tells what was raised and what was cleared.
  std::vector<VerdictChange> update(std::vector<Finding> findings, TimePoint now);
  // Active ones first, best first; then the cleared ones, the newest first.
  std::vector<const CauseHistory*> ranked() const;
  const CauseHistory* best() const;
  std::size_t active_count() const;

 private:
  CauseHistory* find(Cause cause);
  std::vector<CauseHistory> causes_;  // at most one for each row of the catalogue
};

}  // namespace tunnelwatch::diagnosis
