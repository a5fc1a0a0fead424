#include "agent/diagnosis/kernel_evidence.h"

#include "agent/diagnosis/daemon_evidence.h"
#include "agent/diagnosis/host_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using host::KernelHop;
using host::KernelRoute;
using host::KernelView;
using host::NeighbourState;
using F = FactId;

namespace {

constexpr F kFacts[] = {F::local_address_absent, F::remote_address_here,  F::tunnel_address_absent,
                        F::public_route_absent,  F::private_route_absent, F::private_route_elsewhere,
                        F::route_partial,        F::route_via_peer,       F::route_on_link,
                        F::next_hop_failed,      F::route_egress_differs, F::client_link_up,
                        F::route_shared_out};

// A host of the subnet: one that is configured, or the first.
IpAddress inside(const config::Tunnel& tunnel, const IpPrefix& subnet) {
  for (const auto& host : tunnel.inner_hosts) {
    if (host.address && subnet.contains(*host.address)) return *host.address;
  }
  const auto bytes = subnet.address.bytes();
  if (subnet.length == 8 * bytes.size()) return subnet.address;
  std::array<std::uint8_t, 16> first{};
  std::copy(bytes.begin(), bytes.end(), first.begin());
  first[bytes.size() - 1] |= 1U;
  return subnet.address.is_v4() ? IpAddress::v4(std::span<const std::uint8_t, 4>(first.data(), 4))
                                : IpAddress::v6(std::span<const std::uint8_t, 16>(first));
}

class Judgement {
 public:
  Judgement(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote, const KernelView& view,
            TimePoint now)
      : facts_(facts), tunnel_(tunnel), remote_(remote), view_(view), now_(now) {}

  void run() {
    judge_address(F::local_address_absent, tunnel_.local, false);
    judge_address(F::tunnel_address_absent, tunnel_.local_tunnel_address, true);
    judge_remote_address();
    via_peer_.reset();
    judge_public();
    judge_shares();
    judge_private();
    judge_parts();
    judge_client();
    if (remote_) set(F::route_via_peer, via_peer_);
  }

 private:
  void judge_address(F fact, const std::optional<IpAddress>& address, bool of_tunnel) {
    if (!address) return facts_.forget(fact);
    const bool stands = is_ours(*address);
    if (!stands && !view_.complete) return facts_.forget(fact);
    set(fact, stands ? std::nullopt : std::optional(describe_absent_address(*address, of_tunnel)));
  }

  // Where the two ends were mixed up, the peer's address is one of this machine.
  void judge_remote_address() {
    const F fact = F::remote_address_here;
    const bool here = remote_ && is_ours(*remote_);
    if (!remote_ || (!here && !view_.complete)) return facts_.forget(fact);
    set(fact, here ? std::optional(describe_remote_address_here(*remote_)) : std::nullopt);
  }

  void judge_public() {
    const KernelRoute* way = remote_ ? way_to(*remote_) : nullptr;
    if (way == nullptr || (!way->passes && !way->hops.empty())) {  // not asked, or an address of this machine
      for (const F fact : {F::public_route_absent, F::route_on_link, F::next_hop_failed, F::route_egress_differs})
        facts_.forget(fact);
      return;
    }
    const std::string to = remote_->to_string();
    set(F::public_route_absent, way->hops.empty() ? std::optional(describe_no_route(to)) : std::nullopt,
        Confidence::confirmed);
    if (way->hops.empty()) {
      for (const F fact : {F::route_on_link, F::next_hop_failed, F::route_egress_differs}) facts_.forget(fact);
      return;
    }
    const KernelHop& hop = way->hops.front();
    note_via_peer(hop, to);
    judge_next_hop(hop);
    const auto& expected = tunnel_.egress_interface;
    if (expected.empty() || view_.link_called(expected) == 0) return facts_.forget(F::route_egress_differs);
    set(F::route_egress_differs,
        name_of(hop) == expected ? std::nullopt : std::optional(describe_other_interface(to, name_of(hop), expected)));
  }

  // Several next hops on one interface are mostly two routers of one line.
  void judge_shares() {
    const auto route = remote_ ? view_.entries.find(*remote_) : view_.entries.end();
    if (route == view_.entries.end() || !route->second.passes) return facts_.forget(F::route_shared_out);
    std::vector<std::string> lines;
    for (const KernelHop& hop : route->second.hops) lines.push_back(name_of(hop));
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    if (lines.size() < 2) return set(F::route_shared_out, std::nullopt);
    const std::string to = remote_->to_string();
    set(F::route_shared_out, describe_shared_route(to, lines, tunnel_.egress_interface),
        tunnel_.egress_interface.empty() ? Confidence::possible : Confidence::likely);
  }

  void judge_next_hop(const KernelHop& hop) {
    const F fact = hop.gateway ? F::next_hop_failed : F::route_on_link;
    facts_.forget(hop.gateway ? F::route_on_link : F::next_hop_failed);
    const auto link = view_.links.find(hop.link);
    // A peer on a network of our own is asked for itself: that it is silent is no matter of routes.
    if (link == view_.links.end() || !link->second.resolves || (!hop.gateway && is_connected(*remote_)))
      return facts_.forget(fact);
    const IpAddress asked = hop.gateway.value_or(*remote_);
    const auto known = std::find_if(view_.neighbours.begin(), view_.neighbours.end(),
                                    [&](const auto& n) { return n.link == hop.link && n.address == asked; });
    if (known == view_.neighbours.end()) return facts_.forget(fact);
    if (known->state == NeighbourState::resolving) return;  // by and by
    if (known->state == NeighbourState::resolved) return set(fact, std::nullopt);
    set(fact, hop.gateway ? describe_failed_next_hop(asked, link->second.name)
                          : describe_route_on_link(asked, link->second.name));
  }

  void judge_private() {
    std::optional<Text> absent;
    std::optional<Text> elsewhere;
    const std::uint32_t own = tunnel_link();
    for (const IpPrefix& subnet : tunnel_.remote_subnets) {
      const KernelRoute* way = way_to(inside(tunnel_, subnet));
      if (way == nullptr) continue;
      const std::string to = subnet.to_string();
      if (way->hops.empty()) {
        absent = describe_no_route(to);
        continue;
      }
      if (!way->passes) continue;
      const KernelHop& hop = way->hops.front();
      note_via_peer(hop, to);
      if (own != 0 && hop.link != own && !is_routed_in_part(subnet, own))
        elsewhere = describe_other_interface(to, name_of(hop), tunnel_.tunnel_interface);
    }
    set(F::private_route_absent, absent);
    set(F::private_route_elsewhere, elsewhere);
  }

  void judge_parts() {
    const std::uint32_t own = tunnel_link();
    if (own == 0 || !view_.complete) return facts_.forget(F::route_partial);
    std::optional<Text> partial;
    for (const IpPrefix& subnet : tunnel_.remote_subnets) {
      if (is_routed_in_part(subnet, own))
        partial = describe_partial_route(subnet, tunnel_.tunnel_interface, routed_to(own));
    }
    set(F::route_partial, partial);
  }

  // The interface of an OpenVPN client comes when it has connected, and goes with it.
  void judge_client() {
    if (tunnel_.kind != config::TunnelKind::openvpn || (tunnel_link() == 0 && !view_.complete))
      return facts_.forget(F::client_link_up);
    const auto& name = tunnel_.tunnel_interface;
    set(F::client_link_up, tunnel_link() != 0 ? std::optional(describe_client_link(name)) : std::nullopt);
  }

  std::vector<IpPrefix> routed_to(std::uint32_t link) const {
    std::vector<IpPrefix> routed;
    for (const KernelRoute& r : view_.routes) {
      const bool there = std::any_of(r.hops.begin(), r.hops.end(), [&](const KernelHop& h) { return h.link == link; });
      if (r.passes && there) routed.push_back(r.destination);
    }
    return routed;
  }

  bool is_routed_in_part(const IpPrefix& subnet, std::uint32_t link) const {
    const auto routed = routed_to(link);
    const bool any = std::any_of(routed.begin(), routed.end(), [&](const IpPrefix& p) { return p.overlaps(subnet); });
    return any && !covered(subnet, routed);
  }

  void note_via_peer(const KernelHop& hop, const std::string& to) {
    if (remote_ && hop.gateway == remote_ && !is_connected(*remote_)) via_peer_ = describe_route_via_peer(to, *remote_);
  }

  bool is_ours(const IpAddress& address) const {
    return std::any_of(view_.addresses.begin(), view_.addresses.end(),
                       [&](const auto& a) { return a.subnet.address == address; });
  }
  bool is_connected(const IpAddress& address) const {
    return std::any_of(view_.addresses.begin(), view_.addresses.end(), [&](const auto& a) {
      return IpPrefix::of(a.subnet.address, a.subnet.length).contains(address);
    });
  }
  const KernelRoute* way_to(const IpAddress& address) const {
    const auto it = view_.ways.find(address);
    return it == view_.ways.end() ? nullptr : &it->second;
  }
  std::uint32_t tunnel_link() const {
    return tunnel_.tunnel_interface.empty() ? 0 : view_.link_called(tunnel_.tunnel_interface);
  }
  std::string name_of(const KernelHop& hop) const {
    const auto link = view_.links.find(hop.link);
    return link == view_.links.end() ? std::to_string(hop.link) : link->second.name;
  }
  void set(F fact, const std::optional<Text>& text, Confidence confidence = Confidence::likely) {
    if (text) {
      facts_.affirm(fact, now_, confidence, *text);
    } else {
      facts_.deny(fact, now_);
    }
  }

  Facts& facts_;
  const config::Tunnel& tunnel_;
  const std::optional<IpAddress>& remote_;
  const KernelView& view_;
  TimePoint now_;
  std::optional<Text> via_peer_;
};

}  // namespace

std::vector<IpAddress> wanted_ways(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote) {
  std::vector<IpAddress> wanted;
  if (remote) wanted.push_back(*remote);
  for (const IpPrefix& subnet : tunnel.remote_subnets) {
    if (wanted.size() == kMaxWays) break;
    if (subnet.length != 0) wanted.push_back(inside(tunnel, subnet));
  }
  return wanted;
}

void judge_kernel(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const host::KernelView& view, TimePoint now) {
  Judgement(facts, tunnel, remote, view, now).run();
}

void forget_kernel(Facts& facts) {
  for (const F fact : kFacts) facts.forget(fact);
}

}  // namespace tunnelwatch::diagnosis
