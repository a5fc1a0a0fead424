#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/active/echo_statistics.h"
#include "probes/passive/packet_sink.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace tunnelwatch::diagnosis {

// ESP packets of one direction in the last seconds: those that came, and those whose numbers never did.
struct EspLoss {
  std::uint64_t expected = 0;
  std::uint64_t lost = 0;
  active::Interval ratio;
};

// From the counters of a tunnel's ESP streams to facts: whether traffic goes both ways, and whose packets are missing.
class EspTraffic {
 public:
  EspTraffic(Facts& facts, const config::LossThresholds& loss) : facts_(facts), loss_(loss) {}

  // Returns the bytes that the stream has grown by.
  std::uint64_t on_esp(const passive::EspStreamSummary& stream, bool outbound);
  void advance(TimePoint now);
  // Until what is known of ESP is old.
  bool waits() const {
    return facts_.is(FactId::esp_both_ways) || facts_.is_not(FactId::esp_both_ways) ||
           !directions_[0].buckets.empty() || !directions_[1].buckets.empty();
  }
  std::optional<TimePoint> last_outbound() const { return directions_[0].last; }
  std::optional<TimePoint> last_inbound() const { return directions_[1].last; }

 private:
  static constexpr std::size_t kMaxStreams = 32;
  static constexpr std::int64_t kBuckets = 60;

  struct Stream {
    passive::EspStreamSummary last;
    bool outbound = false;
    TimePoint outage_until{};  // its gaps are those of an outage that ended
  };
  // Counts by time: kBuckets of them make the window, so that its memory does not depend on its length.
  struct Bucket {
    std::int64_t index = 0;
    std::uint64_t expected = 0;
    std::uint64_t lost = 0;
  };
  struct Direction {
    std::vector<Bucket> buckets;
    std::optional<TimePoint> last;
    std::uint64_t since_other = 0;  // packets since the other direction was last seen
    TimePoint first_since{};
  };

  Stream& stream_of(const passive::EspStreamSummary& s, bool outbound);
  bool is_split(const Stream& stream) const;
  void count(const Stream& before, const passive::EspStreamSummary& s, Direction& direction);
  EspLoss loss_of(const Direction& direction, TimePoint now) const;
  std::int64_t bucket_of(TimePoint at) const;
  void judge_ways(TimePoint now);
  void judge_loss(TimePoint now);

  Facts& facts_;
  config::LossThresholds loss_;
  std::vector<Stream> streams_;
  std::array<Direction, 2> directions_;  // 0: outbound
  TimePoint now_{};
};

}  // namespace tunnelwatch::diagnosis
