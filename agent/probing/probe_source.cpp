#include "agent/probing/probe_source.h"

#include "probes/io/local_addresses.h"

#include <algorithm>

namespace tunnelwatch::agent {

active::EchoParams params_of(const config::EchoPlan& plan, const std::optional<IpAddress>& address,
                             std::uint32_t interface_index) {
  active::EchoParams p;
  p.interval = plan.interval;
  p.timeout = plan.timeout;
  p.payload_bytes = plan.payload_bytes;
  p.dont_fragment = plan.dont_fragment;
  p.ttl = plan.ttl;
  p.burst = plan.burst;
  p.dscp = plan.dscp;
  p.fwmark = plan.fwmark;
  if (plan.source && address && plan.source->family() == address->family()) p.source = plan.source;
  p.interface_index = interface_index;
  return p;
}

std::optional<IpAddress> probe_source(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote) {
  if (tunnel.local || tunnel.local_interface.empty() || !remote) return tunnel.local;
  for (const IpAddress& a : io::addresses_of(tunnel.local_interface)) {
    if (a.family() == remote->family()) return a;
  }
  return std::nullopt;
}

std::optional<IpAddress> inner_source(const config::Tunnel& tunnel, IpFamily family,
                                      const std::vector<IpAddress>& own_addresses) {
  for (const IpAddress& a : own_addresses) {
    const auto holds = [&](const IpPrefix& p) { return p.contains(a); };
    if (a.family() == family && std::any_of(tunnel.local_subnets.begin(), tunnel.local_subnets.end(), holds)) return a;
  }
  return std::nullopt;
}

}  // namespace tunnelwatch::agent
