#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/active/echo_statistics.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::diagnosis {

// What an interface has carried since it is there.
struct LineCounters {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

// What the queue in front of it has sent and dropped since it is there; both wrap.
struct QueueCounters {
  std::uint32_t packets = 0;
  std::uint32_t drops = 0;
};

// Whether the line that a tunnel leaves by is near what it carries, in either direction, and whether echoes wait in its
// queue meanwhile; and whether that queue drops what should leave, however much that is.
class LineEvidence {
 public:
  explicit LineEvidence(Facts& facts) : facts_(facts) {}

  // Bits per second; 0: not known, and nothing is told.
  void set_limit(std::uint64_t bits_per_second) { limit_ = bits_per_second; }
  std::uint64_t limit() const { return limit_; }
  // About once a second.
  void on_counters(std::string_view interface, const LineCounters& counters, TimePoint at);
  // The interface is not there, or cannot be read.
  void on_blind();
  // Likewise about once a second. What began anew is not told from what wrapped, but for the rate of drops.
  void on_queue(std::string_view interface, const QueueCounters& counters, TimePoint at);
  void on_blind_queue();
  // Packets that it dropped since it was first seen; nothing where it never was.
  std::optional<std::uint64_t> dropped() const { return dropped_; }
  // Of the peer's address.
  void on_echo(const active::EchoWindow& window, TimePoint now);

 private:
  struct Sample {
    TimePoint at{};
    LineCounters counters;
  };
  struct QueueSample {
    TimePoint at{};
    QueueCounters counters;
  };
  void judge(std::string_view interface, TimePoint now);

  Facts& facts_;
  std::uint64_t limit_ = 0;
  std::deque<Sample> samples_;
  std::deque<QueueSample> queue_;
  std::string queue_of_;  // the interface that they are of
  std::optional<std::uint64_t> dropped_;
  std::optional<Duration> idle_rtt_;  // while the line was not near its limit
};

}  // namespace tunnelwatch::diagnosis
