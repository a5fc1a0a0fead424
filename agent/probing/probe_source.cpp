#include "agent/probing/probe_source.h"

#include "probes/io/local_addresses.h"

#include <algorithm>

namespace tunnelwatch::agent {

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
