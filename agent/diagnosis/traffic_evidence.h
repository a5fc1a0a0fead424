#pragma once

#include "agent/diagnosis/bgp_evidence.h"
#include "agent/diagnosis/egress_evidence.h"
#include "agent/diagnosis/esp_traffic.h"
#include "agent/diagnosis/inner_evidence.h"
#include "agent/diagnosis/leak_evidence.h"
#include "agent/diagnosis/ping_evidence.h"
#include "agent/diagnosis/rate_evidence.h"
#include "config/settings.h"
#include "probes/passive/traffic_observation.h"

#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::diagnosis {

// What one tunnel's traffic tells beside its negotiation, written into the facts that Evidence keeps: windows, counts
// and hysteresis live in its parts, one for each question.
class TrafficEvidence {
 public:
  TrafficEvidence(Facts& facts, const config::Tunnel& tunnel, const config::LossThresholds& loss);
  TrafficEvidence(const TrafficEvidence&) = delete;
  TrafficEvidence& operator=(const TrafficEvidence&) = delete;

  void reconfigure(const config::Tunnel& tunnel);

  void on_esp(const passive::EspStreamSummary& stream, bool outbound);
  // The windows of the inner hosts' echoes, all in a row; `last` of them.
  void on_inner_echo(const InnerTarget& target, const active::EchoWindow& window, TimePoint now, bool last) {
    inner_.on_echo(target, window, now, last, esp_.last_inbound());
  }
  void on_leak(const passive::LeakSummary& leak, std::string_view interface);
  // `egress_captured`: whether packets are read where the configuration says that the tunnel leaves.
  void on_outer_path(const passive::OuterPathSummary& path, std::string_view interface, bool egress_captured);
  void on_tunnel_pings(const passive::TunnelPingSummary& pings, std::optional<bool> stands_here);
  void on_bgp(const passive::BgpObservation& o, std::optional<passive::Side> by) { bgp_.on_bgp(o, by); }
  void advance(TimePoint now);
  // Whether advance() would change anything before something else is told.
  bool waits() const {
    return esp_.waits() || rate_.waits() || leak_.waits() || egress_.waits() || pings_.waits() || bgp_.waits();
  }

 private:
  std::string egress_interface_;
  std::optional<IpAddress> local_tunnel_address_;
  EspTraffic esp_;
  RateEvidence rate_;
  InnerEvidence inner_;
  LeakEvidence leak_;
  EgressEvidence egress_;
  PingEvidence pings_;
  BgpEvidence bgp_;
};

}  // namespace tunnelwatch::diagnosis
