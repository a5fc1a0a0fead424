#include "agent/probing/echo_driver.h"

namespace tunnelwatch::agent {

namespace {

exporters::EchoReport report_of(const TargetKey& key, const EchoTarget& target, const WallClock& clock) {
  const auto& totals = target.statistics.totals();
  exporters::EchoReport e;
  e.tunnel = key.tunnel;
  e.target = key.target;
  e.role = to_string(key.role);
  if (target.wish.address) e.address = target.wish.address->to_string();
  e.requests = totals.requests;
  e.replies = totals.replies;
  e.lost = totals.lost;
  e.late = totals.late;
  e.duplicates = totals.duplicates;
  for (std::size_t i = 1; i < kRefusalReasonCount; ++i) {
    if (totals.refused[i] != 0)
      e.refused.emplace_back(tunnelwatch::to_string(static_cast<RefusalReason>(i)), totals.refused[i]);
  }
  for (const auto& label : target.wish.labels) e.labels.emplace_back(label.name, label.value);
  e.reordered = totals.reordered;
  e.ttl_changes = totals.ttl_changes;
  e.reply_ttl = target.statistics.reply_ttl();
  e.jitter_seconds = target.statistics.jitter_seconds();
  e.rtt.bounds = &target.statistics.bounds();
  e.rtt.counts.assign(totals.rtt_counts.begin(), totals.rtt_counts.end());
  e.rtt.sum = totals.rtt_seconds_sum;
  if (const auto last = target.statistics.last_reply()) e.last_reply = clock.at(*last);
  return e;
}

}  // namespace

void EchoDriver::report(exporters::Report& report, const WallClock& clock) const {
  report.echo.reserve(report.echo.size() + targets_.size());
  const auto& counters = echo_.counters();
  report.agent.echo_lag = {
      &active::lag_bounds(), {counters.lag_counts.begin(), counters.lag_counts.end()}, counters.lag_seconds_sum};
  report.agent.echo_skipped = counters.skipped;
  for (const auto& [key, target] : targets_) report.echo.push_back(report_of(key, target, clock));
}

}  // namespace tunnelwatch::agent
