#pragma once

#include "agent/diagnosis/leak_evidence.h"
#include "config/settings.h"
#include "probes/passive/traffic_observation.h"

#include <string_view>

namespace tunnelwatch::diagnosis {

// What one tunnel's traffic tells beside its negotiation, written into the facts that Evidence keeps: windows, counts
// and hysteresis live in its parts, one for each question.
class TrafficEvidence {
 public:
  TrafficEvidence(Facts& facts, const config::Tunnel& tunnel);
  TrafficEvidence(const TrafficEvidence&) = delete;
  TrafficEvidence& operator=(const TrafficEvidence&) = delete;

  void reconfigure(const config::Tunnel& tunnel);

  void on_leak(const passive::LeakSummary& leak, std::string_view interface);
  void advance(TimePoint now);

 private:
  config::Tunnel tunnel_;
  LeakEvidence leak_;
};

}  // namespace tunnelwatch::diagnosis
