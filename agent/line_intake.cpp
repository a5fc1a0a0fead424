#include "agent/line_intake.h"

#include "agent/watch.h"

#include <algorithm>

namespace tunnelwatch::agent {

namespace {

// Beyond this a log says nothing that it has not said, and somebody may want to keep us busy.
constexpr double kLinesPerSecond = 5000;
constexpr double kBurst = 20'000;

}  // namespace

std::string_view to_string(LogLineOutcome outcome) {
  switch (outcome) {
    case LogLineOutcome::ordinary:
      return "ordinary";
    case LogLineOutcome::assigned:
      return "assigned";
    case LogLineOutcome::unassigned:
      return "unassigned";
    case LogLineOutcome::dropped:
      return "dropped";
  }
  return "dropped";
}

bool LineIntake::may_take(TimePoint now) {
  tokens_ = std::min(kBurst, tokens_ + to_seconds(now - tokens_at_) * kLinesPerSecond);
  tokens_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void LineIntake::take(diagnosis::LogReader& reader, std::string_view line, diagnosis::LogTeller teller, TimePoint now) {
  if (!may_take(now)) return count(LogLineOutcome::dropped);
  auto hit = reader.read(line, now);
  if (!hit) return count(LogLineOutcome::ordinary);
  hit->teller = teller;
  count(watch_.on_log(*hit, now) ? LogLineOutcome::assigned : LogLineOutcome::unassigned);
}

void LineIntake::take(const diagnosis::LogHit& hit, TimePoint now) {
  if (!may_take(now)) return count(LogLineOutcome::dropped);
  count(watch_.on_log(hit, now) ? LogLineOutcome::assigned : LogLineOutcome::unassigned);
}

void LineIntake::report(exporters::Report& report) const {
  auto& lines = report.agent.log_lines;
  for (std::size_t i = 0; i < kLogLineOutcomeCount; ++i) {
    if (lines.size() <= i) lines.emplace_back(to_string(static_cast<LogLineOutcome>(i)), 0);
    lines[i].second += outcomes_[i];
  }
}

}  // namespace tunnelwatch::agent
