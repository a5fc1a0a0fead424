#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/traffic_observation.h"

#include <array>
#include <cstdint>
#include <optional>

namespace tunnelwatch::diagnosis {

// Whether the two ends of BGP over the tunnel are who the other one, and the configuration, takes them for.
class BgpEvidence {
 public:
  BgpEvidence(Facts& facts, const config::Bgp& expected) : facts_(facts), expected_(expected) {}

  void reconfigure(const config::Bgp& expected) { expected_ = expected; }
  // `by`: which end spoke, where that is known.
  void on_bgp(const passive::BgpObservation& o, std::optional<passive::Side> by);
  void advance(TimePoint now);
  bool waits() const { return last_.has_value(); }

 private:
  struct Speaker {
    std::optional<passive::BgpObservation> open;  // its newest
    bool accepted = false;                        // by the other end, since
  };

  std::uint32_t expected_of(passive::Side side) const {
    return side == passive::Side::local ? expected_.local_as : expected_.remote_as;
  }
  void on_accepted(const passive::BgpObservation& o, std::optional<passive::Side> by);
  void judge_opens(TimePoint now);

  Facts& facts_;
  config::Bgp expected_;
  std::array<Speaker, 2> speakers_;       // by Side
  std::optional<IpAddress> accepted_by_;  // the last that took the OPEN of the other end
  std::optional<TimePoint> last_;
};

}  // namespace tunnelwatch::diagnosis
