#pragma once

#include "agent/diagnosis/fact.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tunnelwatch::diagnosis {

// How fast ESP went in one direction, as measured.
struct EspRate {
  bool outbound = false;
  double bits_per_second = 0;
  Duration over{};
  std::uint64_t limit = 0;  // bits per second, what the cloud's gateway is sized for
};

// Whether the tunnel's traffic comes near what the cloud's VPN gateway is sized for, in either direction.
class RateEvidence {
 public:
  RateEvidence(Facts& facts, std::uint64_t limit) : facts_(facts), limit_(limit) {}

  void set_limit(std::uint64_t bits_per_second) { limit_ = bits_per_second; }
  // Bytes of IP packets up to then.
  void on_bytes(bool outbound, std::uint64_t bytes, TimePoint at);
  void advance(TimePoint now);
  bool waits() const { return !samples_[0].empty() || !samples_[1].empty(); }

 private:
  struct Sample {
    TimePoint at{};
    std::uint64_t bytes = 0;  // since the one before
  };

  EspRate rate_of(bool outbound) const;
  void judge(TimePoint now);

  Facts& facts_;
  std::uint64_t limit_;
  std::array<std::vector<Sample>, 2> samples_;  // outbound first
  TimePoint next_look_{};
};

}  // namespace tunnelwatch::diagnosis
