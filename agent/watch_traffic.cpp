#include "agent/watch.h"
#include "probes/wire/bgp.h"

#include <algorithm>

// What the captures tell beside IKE and ESP finds its tunnel here.
namespace tunnelwatch::agent {

using passive::BgpObservation;
using passive::PeerKey;
using passive::Side;

void Watch::set_local_addresses(std::vector<IpAddress> addresses) {
  local_addresses_ = addresses;
  tracker_.set_local_addresses(std::move(addresses));
}

std::string_view Watch::interface_name(std::uint16_t interface) const {
  const auto it = interfaces_.find(interface);
  return it == interfaces_.end() ? std::string_view() : it->second;
}

void Watch::on_leak(const passive::LeakSummary& leak) {
  Tunnel* tunnel = find(leak.tunnel);
  if (tunnel != nullptr && tunnel->configured()) tunnel->traffic().on_leak(leak, interface_name(leak.interface));
}

void Watch::on_outer_path(const passive::OuterPathSummary& path) {
  Tunnel* tunnel = find(path.tunnel);
  if (tunnel == nullptr || !tunnel->configured()) return;
  const auto& egress = tunnel->settings().egress_interface;
  const bool captured =
      std::any_of(interfaces_.begin(), interfaces_.end(), [&](const auto& entry) { return entry.second == egress; });
  tunnel->traffic().on_outer_path(path, interface_name(path.interface), captured);
}

bool Watch::is_own(const IpAddress& address) const {
  return std::find(local_addresses_.begin(), local_addresses_.end(), address) != local_addresses_.end();
}

void Watch::on_tunnel_pings(const passive::TunnelPingSummary& pings) {
  Tunnel* tunnel = find(pings.tunnel);
  if (tunnel == nullptr || !tunnel->configured() || !tunnel->settings().local_tunnel_address) return;
  std::optional<bool> stands_here;
  if (!local_addresses_.empty()) stands_here = is_own(*tunnel->settings().local_tunnel_address);
  tunnel->traffic().on_tunnel_pings(pings, stands_here);
}

// The addresses inside the tunnel tell, or else the tunnel's own interface.
bool Watch::is_bgp_of(const config::Tunnel& s, const BgpObservation& o) const {
  const auto is_end = [&](const IpAddress& a) { return a == o.speaker || a == o.other; };
  if (s.local_tunnel_address && !is_end(*s.local_tunnel_address)) return false;
  if (s.remote_tunnel_address) return is_end(*s.remote_tunnel_address);
  return !s.tunnel_interface.empty() && interface_name(o.interface) == s.tunnel_interface;
}

std::optional<Side> Watch::side_of(const config::Tunnel& s, const BgpObservation& o) const {
  const auto is_ours = [&](const IpAddress& a) { return a == s.local_tunnel_address || is_own(a); };
  if (o.speaker == s.remote_tunnel_address || is_ours(o.other)) return Side::remote;
  if (o.other == s.remote_tunnel_address || is_ours(o.speaker)) return Side::local;
  return std::nullopt;
}

void Watch::on_bgp(const BgpObservation& o) {
  if (options_.offline) return on_bgp_of_file(o);
  for (const auto& t : tunnels_.all()) {
    if (t->configured() && is_bgp_of(t->settings(), o)) t->traffic().on_bgp(o, side_of(t->settings(), o));
  }
}

// A file comes without a configuration: BGP in it is that of its only tunnel, or stands for itself where one end
// refuses the other. Then whoever refused is taken for the peer.
void Watch::on_bgp_of_file(const BgpObservation& o) {
  const PeerKey pair{o.other, o.speaker};
  const PeerKey turned{o.speaker, o.other};
  Tunnel* found = nullptr;
  for (const auto& t : tunnels_.all()) {
    if (t->peer() == pair || t->peer() == turned) found = t.get();
  }
  const auto& all = tunnels_.all();
  if (found == nullptr && all.size() == 1 && view_of(*all.front()) != nullptr) found = all.front().get();
  const bool refused =
      o.sight == passive::BgpSight::refused && o.code == wire::kBadPeerAs.code && o.subcode == wire::kBadPeerAs.subcode;
  if (found == nullptr && refused) found = discover(pair);
  if (found != nullptr) found->traffic().on_bgp(o, std::nullopt);
}

}  // namespace tunnelwatch::agent
