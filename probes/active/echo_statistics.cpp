#include "probes/active/echo_statistics.h"

#include "probes/active/buckets.h"

#include <algorithm>
#include <cmath>

namespace tunnelwatch::active {

Interval wilson_interval(std::uint64_t hits, std::uint64_t trials) {
  if (trials == 0) return {};
  constexpr double z = 1.959964;
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n;
  const double scale = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / scale;
  const double half = z / scale * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

const std::vector<double>& rtt_bounds() {
  static const std::vector<double> bounds = geometric_bounds(50e-6, 2, 20);
  return bounds;
}

void EchoStatistics::count_rtt(Duration rtt) {
  const double seconds = to_seconds(rtt);
  ++totals_.rtt_counts[bucket_of(*bounds_, seconds)];
  totals_.rtt_seconds_sum += seconds;
  if (previous_rtt_) {
    jitter_seconds_ += (std::abs(to_seconds(rtt - *previous_rtt_)) - jitter_seconds_) / 16;
    ++differences_;
  }
  previous_rtt_ = rtt;
}

std::optional<double> EchoStatistics::jitter_seconds() const {
  return differences_ == 0 ? std::nullopt : std::optional(jitter_seconds_);
}

void EchoStatistics::on_restart() {
  newest_reply_.reset();
  reply_ttl_.reset();
  previous_rtt_.reset();
}

// A reply in time or late, and no duplicate.
void EchoStatistics::note_reply(const EchoObservation& o) {
  consecutive_losses_ = 0;
  last_reply_ = o.at;
  const bool behind = newest_reply_ && static_cast<std::int32_t>(o.sequence - *newest_reply_) < 0;
  if (behind) {
    ++totals_.reordered;
  } else {
    newest_reply_ = o.sequence;
  }
  if (o.ttl == 0) return;
  if (reply_ttl_ && *reply_ttl_ != o.ttl) ++totals_.ttl_changes;
  reply_ttl_ = o.ttl;
}

void EchoStatistics::remember(const EchoObservation& o) {
  if (window_ == std::chrono::seconds::zero()) return;
  samples_.push_back({o.at, static_cast<float>(to_seconds(o.rtt)), o.outcome, o.reason});
  while (samples_.size() > kMaxSamples || samples_.front().at + window_ < o.at) samples_.pop_front();
}

// A refusal that comes after its request was told lost gives that loss its reason; it is no second loss.
void EchoStatistics::explain_loss(const EchoObservation& o) {
  for (auto sample = samples_.rbegin(); sample != samples_.rend(); ++sample) {
    if (sample->outcome != EchoOutcome::lost) continue;
    sample->outcome = EchoOutcome::refused;
    sample->reason = o.reason;
    return;
  }
}

void EchoStatistics::on_observation(const EchoObservation& o) {
  switch (o.outcome) {
    case EchoOutcome::reply:
      ++totals_.replies;
      count_rtt(o.rtt);
      note_reply(o);
      remember(o);
      return;
    case EchoOutcome::lost:
      ++totals_.lost;
      ++consecutive_losses_;
      remember(o);
      return;
    case EchoOutcome::late:  // the loss stays counted, yet the target is alive
      ++totals_.late;
      note_reply(o);
      remember(o);
      return;
    case EchoOutcome::duplicate:
      ++totals_.duplicates;
      return;
    case EchoOutcome::refused:
      ++totals_.refused[static_cast<std::size_t>(o.reason)];
      if (o.after_loss) {
        explain_loss(o);
        return;
      }
      ++consecutive_losses_;
      remember(o);
      return;
    case EchoOutcome::send_error:
      ++totals_.send_errors;
      ++totals_.refused[static_cast<std::size_t>(o.reason)];
      remember(o);
      return;
  }
}

EchoWindow EchoStatistics::window(TimePoint now) const {
  EchoWindow w;
  std::vector<float> rtts;
  std::vector<float> newest;  // late ones too: what waits in a queue comes late
  rtts.reserve(samples_.size());
  std::uint32_t run = 0;
  bool served = false;
  for (const Sample& sample : samples_) {
    if (sample.at + window_ < now) continue;
    if (sample.outcome == EchoOutcome::late || sample.outcome == EchoOutcome::reply) {
      if (newest.size() == kFewReplies) newest.erase(newest.begin());
      newest.push_back(sample.rtt_seconds);
    }
    if (sample.outcome == EchoOutcome::late) continue;  // its request was settled as lost
    if (sample.reason != RefusalReason::none) w.last_reason = sample.reason;
    if (sample.outcome == EchoOutcome::send_error) {
      ++w.send_errors;
      continue;
    }
    ++w.sent;
    if (sample.outcome == EchoOutcome::reply) {
      rtts.push_back(sample.rtt_seconds);
      if (served && run < kOutage) {
        w.in_service += run;
        w.in_service_lost += run;
      }
      ++w.in_service;
      served = true;
      run = 0;
    } else {
      ++w.lost;
      ++run;
    }
    if (sample.outcome == EchoOutcome::refused) ++w.refused;
  }
  if (served && run < kOpenRun) {
    w.in_service += run;
    w.in_service_lost += run;
  }
  w.loss_ratio = wilson_interval(w.lost, w.sent);
  w.in_service_loss = wilson_interval(w.in_service_lost, w.in_service);
  w.consecutive_losses = consecutive_losses_;
  w.last_reply = last_reply_;
  const auto as_duration = [](double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e9)}; };
  w.jitter = as_duration(jitter_seconds_);
  if (newest.size() == kFewReplies) {
    std::sort(newest.begin(), newest.end());
    w.rtt_newest = as_duration(static_cast<double>(newest[kFewReplies / 2]));
  }
  if (!rtts.empty()) {
    std::sort(rtts.begin(), rtts.end());
    const auto rank = [&](std::size_t percent) {  // nearest rank
      return as_duration(static_cast<double>(rtts[(rtts.size() * percent + 99) / 100 - 1]));
    };
    w.rtt_min = as_duration(static_cast<double>(rtts.front()));
    w.rtt_median = rank(50);
    w.rtt_p95 = rank(95);
  }
  return w;
}

}  // namespace tunnelwatch::active
