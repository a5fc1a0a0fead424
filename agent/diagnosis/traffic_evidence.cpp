#include "agent/diagnosis/traffic_evidence.h"

namespace tunnelwatch::diagnosis {

TrafficEvidence::TrafficEvidence(Facts& facts, const config::Tunnel& tunnel, const config::LossThresholds& loss)
    : tunnel_(tunnel), esp_(facts, loss), inner_(facts, tunnel), leak_(facts), bgp_(facts, tunnel.bgp) {}

void TrafficEvidence::reconfigure(const config::Tunnel& tunnel) {
  tunnel_ = tunnel;
  inner_.reconfigure(tunnel);
  bgp_.reconfigure(tunnel.bgp);
}

void TrafficEvidence::on_leak(const passive::LeakSummary& leak, std::string_view interface) {
  leak_.on_leak(leak, interface, !interface.empty() && interface == tunnel_.egress_interface);
}

void TrafficEvidence::advance(TimePoint now) {
  esp_.advance(now);
  leak_.advance(now);
  bgp_.advance(now);
}

}  // namespace tunnelwatch::diagnosis
