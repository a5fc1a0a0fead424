#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/passive/traffic_observation.h"

#include <optional>
#include <string_view>

namespace tunnelwatch::diagnosis {

// Whether the peer's pings to this end's tunnel address (a static route's NQA) are answered.
class PingEvidence {
 public:
  explicit PingEvidence(Facts& facts) : facts_(facts) {}

  // `stands_here`: whether the address is on an interface of this machine, where that is known. `outbound`: when our
  // ESP last left; where only the decrypted requests are seen, it stands for an answer that may be inside.
  void on_pings(const passive::TunnelPingSummary& pings, std::string_view address, std::optional<bool> stands_here,
                const std::optional<TimePoint>& outbound);
  void advance(TimePoint now);
  bool waits() const { return last_.has_value(); }

 private:
  Facts& facts_;
  std::optional<TimePoint> last_;
};

}  // namespace tunnelwatch::diagnosis
