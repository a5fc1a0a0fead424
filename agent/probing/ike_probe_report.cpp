#include "agent/probing/ike_probe_driver.h"

namespace tunnelwatch::agent {

exporters::IkeProbeReport IkeProbeDriver::report_of(const std::string& tunnel, std::uint16_t number, const Port& port) {
  exporters::IkeProbeReport r;
  r.tunnel = tunnel;
  r.port = number;
  for (std::size_t i = 0; i < kIkeProbeOutcomeCount; ++i) {
    r.outcomes.emplace_back(tunnelwatch::to_string(static_cast<IkeProbeOutcome>(i)), port.outcomes[i]);
  }
  for (std::size_t i = 1; i < kRefusalReasonCount; ++i) {
    if (port.refused[i] != 0)
      r.refused.emplace_back(tunnelwatch::to_string(static_cast<RefusalReason>(i)), port.refused[i]);
  }
  r.rtt = port.round_trips.report();
  r.reachable = port.reachable;
  r.last_answer = port.last_answer;
  return r;
}

void IkeProbeDriver::report(exporters::Report& report) const {
  for (const auto& [name, p] : probed_) {
    report.ike_probes.push_back(report_of(name, 500, p.port_500));
    report.ike_probes.push_back(report_of(name, 4500, p.port_4500));
  }
  active::IkeProbeCounters all = before_;
  all += machine_.counters();
  report.agent.probe_strays.push_back({"ike", all.foreign, all.unmatched});
}

}  // namespace tunnelwatch::agent
