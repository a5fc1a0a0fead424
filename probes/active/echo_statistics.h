#pragma once

#include "probes/observation.h"
#include "probes/time.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace tunnelwatch::active {

// Lower and upper bound of a proportion at 95 % (Wilson's score interval). {0, 1} for no trials.
struct Interval {
  double lower = 0;
  double upper = 1;
};
Interval wilson_interval(std::uint64_t hits, std::uint64_t trials);

// Upper bounds in seconds of the RTT histogram: 50 us, doubled 20 times (to 26 s). Static storage.
const std::vector<double>& rtt_bounds();

// Counts since the target exists; only ever grow. requests >= replies + lost + sum(refused that were not lost before) +
// send errors; the difference is in flight or was abandoned.
struct EchoTotals {
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t lost = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;    // replies, late ones too, behind the reply to a later request
  std::uint64_t ttl_changes = 0;  // replies with another TTL than the one before: the path changed
  std::uint64_t send_errors = 0;
  double rtt_seconds_sum = 0;
  std::vector<std::uint64_t> rtt_counts;                     // not cumulative; the last is above all bounds
  std::array<std::uint64_t, kRefusalReasonCount> refused{};  // by reason: ICMP errors and send errors
};

// The last seconds of one target, for the diagnosis. Requests in flight are in none of the numbers.
struct EchoWindow {
  std::uint64_t sent = 0;         // requests that were settled in the window: replied + lost
  std::uint64_t lost = 0;         // timed out or refused
  std::uint64_t refused = 0;      // of `lost`: an ICMP error told why
  std::uint64_t send_errors = 0;  // never left; in neither `sent` nor `lost`
  Interval loss_ratio;
  // The same without outages: neither losses before the first reply in the window, nor a run of kOutage losses or more,
  // nor the run that is going on. A dead line does not "lose packets", before and after it works.
  std::uint64_t in_service = 0;
  std::uint64_t in_service_lost = 0;
  Interval in_service_loss;
  std::uint32_t consecutive_losses = 0;             // up to now, not limited by the window
  std::optional<TimePoint> last_reply;              // in time or late, not limited by the window
  RefusalReason last_reason = RefusalReason::none;  // of the newest refusal or send error in the window
  Duration jitter{};                                // RFC 3550 6.4.1 over round trips
  std::optional<Duration> rtt_min;
  std::optional<Duration> rtt_median;
  std::optional<Duration> rtt_p95;
  std::optional<Duration> rtt_newest;  // the median of the last kFewReplies, where there are so many
};

// Totals and a sliding window of one target, fed with what IcmpEcho reports. At most kMaxSamples requests are
// remembered for the window: at short intervals it spans less than asked for.
class EchoStatistics {
 public:
  static constexpr std::size_t kMaxSamples = 1024;
  static constexpr std::size_t kFewReplies = 5;
  static constexpr std::uint32_t kOutage = 10;  // losses in a row that are an outage
  static constexpr std::uint32_t kOpenRun = 3;  // losses in a row up to now that may become one

  // `bounds` of the RTT histogram, ascending, in seconds; they outlive this object. A window of 0 remembers nothing.
  explicit EchoStatistics(std::chrono::seconds window = std::chrono::seconds{60},
                          const std::vector<double>& bounds = rtt_bounds())
      : window_(window), bounds_(&bounds) {
    totals_.rtt_counts.resize(bounds.size() + 1);
  }

  void on_request() { ++totals_.requests; }
  void on_observation(const EchoObservation& o);
  // Other buckets: the histogram begins anew.
  void set_bounds(const std::vector<double>& bounds) {
    bounds_ = &bounds;
    totals_.rtt_counts.assign(bounds.size() + 1, 0);
    totals_.rtt_seconds_sum = 0;
  }
  // The target's requests are numbered anew, perhaps to another address.
  void on_restart();

  const EchoTotals& totals() const { return totals_; }
  EchoWindow window(TimePoint now) const;
  // In time or late.
  std::optional<TimePoint> last_reply() const { return last_reply_; }
  // Of the last reply; nothing before the first.
  std::optional<std::uint8_t> reply_ttl() const { return reply_ttl_; }
  // RFC 3550 section 6.4.1 over round trips; nothing before the second reply.
  std::optional<double> jitter_seconds() const;
  const std::vector<double>& bounds() const { return *bounds_; }

 private:
  struct Sample {
    TimePoint at{};
    float rtt_seconds = 0;  // of a reply
    EchoOutcome outcome = EchoOutcome::reply;
    RefusalReason reason = RefusalReason::none;
  };
  void remember(const EchoObservation& o);
  void count_rtt(Duration rtt);
  void explain_loss(const EchoObservation& o);
  void note_reply(const EchoObservation& o);

  // What every reply touches stands together.
  std::chrono::seconds window_;
  const std::vector<double>* bounds_;
  std::uint32_t consecutive_losses_ = 0;
  std::optional<TimePoint> last_reply_;
  std::optional<std::uint32_t> newest_reply_;  // the highest sequence that was replied to
  std::optional<std::uint8_t> reply_ttl_;
  std::optional<Duration> previous_rtt_;
  std::uint64_t differences_ = 0;  // that jitter_seconds_ was made of
  double jitter_seconds_ = 0;
  EchoTotals totals_;
  std::deque<Sample> samples_;
};

}  // namespace tunnelwatch::active
