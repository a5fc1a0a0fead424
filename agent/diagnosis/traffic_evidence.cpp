#include "agent/diagnosis/traffic_evidence.h"

namespace tunnelwatch::diagnosis {

TrafficEvidence::TrafficEvidence(Facts& facts, const config::Tunnel& tunnel, const config::LossThresholds& loss)
    : egress_interface_(tunnel.egress_interface),
      local_tunnel_address_(tunnel.local_tunnel_address),
      esp_(facts, loss),
      rate_(facts, tunnel.bandwidth.gateway),
      inner_(facts, tunnel),
      leak_(facts),
      egress_(facts),
      pings_(facts),
      bgp_(facts, tunnel.bgp) {}

void TrafficEvidence::reconfigure(const config::Tunnel& tunnel) {
  egress_interface_ = tunnel.egress_interface;
  local_tunnel_address_ = tunnel.local_tunnel_address;
  rate_.set_limit(tunnel.bandwidth.gateway);
  inner_.reconfigure(tunnel);
  bgp_.reconfigure(tunnel.bgp);
}

void TrafficEvidence::on_esp(const passive::EspStreamSummary& stream, bool outbound) {
  const std::uint64_t bytes = esp_.on_esp(stream, outbound);
  if (bytes != 0) rate_.on_bytes(outbound, bytes, stream.last);
}

void TrafficEvidence::on_leak(const passive::LeakSummary& leak, std::string_view interface) {
  leak_.on_leak(leak, interface, !interface.empty() && interface == egress_interface_);
}

void TrafficEvidence::on_outer_path(const passive::OuterPathSummary& path, std::string_view interface,
                                    bool egress_captured) {
  egress_.on_path(path, interface, egress_captured ? std::string_view(egress_interface_) : std::string_view());
}

void TrafficEvidence::on_tunnel_pings(const passive::TunnelPingSummary& pings, std::optional<bool> stands_here) {
  if (!local_tunnel_address_) return;
  pings_.on_pings(pings, local_tunnel_address_->to_string(), stands_here, esp_.last_outbound());
}

void TrafficEvidence::advance(TimePoint now) {
  esp_.advance(now);
  rate_.advance(now);
  leak_.advance(now);
  egress_.advance(now);
  pings_.advance(now);
  bgp_.advance(now);
}

}  // namespace tunnelwatch::diagnosis
