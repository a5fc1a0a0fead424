#include "agent/diagnosis/flow_evidence.h"

#include "agent/diagnosis/host_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using host::TrackedFlow;
using F = FactId;

namespace {

bool lies_in(const std::vector<IpPrefix>& subnets, const IpAddress& address) {
  return std::any_of(subnets.begin(), subnets.end(), [&](const IpPrefix& s) { return s.contains(address); });
}

}  // namespace

void TranslatedFlows::add_tunnel(const config::Tunnel& tunnel) {
  if (tunnel.local_subnets.empty() || tunnel.remote_subnets.empty()) return;
  const auto [at, is_new] = tunnels_.try_emplace(tunnel.name);
  if (!is_new) return;
  at->second.local = tunnel.local_subnets;
  for (const IpPrefix& subnet : tunnel.remote_subnets) {
    by_remote_.emplace(IpPrefix::of(subnet.address, subnet.length), &at->second);
    lengths_.emplace(subnet.address.family(), subnet.length);
  }
}

void TranslatedFlows::take(const TrackedFlow& flow) {
  if (!flow.is_translated()) return;
  for (const auto& [family, length] : lengths_) {
    if (family != flow.destination.family()) continue;
    const auto [begin, end] = by_remote_.equal_range(IpPrefix::of(flow.destination, length));
    for (auto it = begin; it != end; ++it) {
      Subnets& tunnel = *it->second;
      // Into another address of the local subnets: that is how the tunnel is meant to see it.
      if (!lies_in(tunnel.local, flow.source) || lies_in(tunnel.local, flow.answered_at)) continue;
      if (tunnel.seen.count++ == 0) tunnel.seen.first = flow;
    }
  }
}

void TranslatedFlows::judge(Facts& facts, const std::string& tunnel, TimePoint now) const {
  const auto it = tunnels_.find(tunnel);
  if (it == tunnels_.end()) return facts.forget(F::flows_translated);
  const Seen& seen = it->second.seen;
  if (seen.count == 0) return facts.deny(F::flows_translated, now);
  facts.affirm(F::flows_translated, now, Confidence::likely, describe_translated_flows(seen.first, seen.count));
}

void forget_flows(Facts& facts) { facts.forget(F::flows_translated); }

}  // namespace tunnelwatch::diagnosis
