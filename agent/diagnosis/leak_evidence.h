#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/passive/traffic_observation.h"

#include <optional>
#include <string_view>

namespace tunnelwatch::diagnosis {

// From packets that left in clear to facts. The few that escape while an SA is being made are none.
class LeakEvidence {
 public:
  explicit LeakEvidence(Facts& facts) : facts_(facts) {}

  // `is_egress`: the configuration says that the tunnel leaves by this interface.
  void on_leak(const passive::LeakSummary& leak, std::string_view interface, bool is_egress);
  void advance(TimePoint now);
  bool waits() const { return last_.has_value(); }

 private:
  Facts& facts_;
  std::optional<TimePoint> last_;
};

}  // namespace tunnelwatch::diagnosis
