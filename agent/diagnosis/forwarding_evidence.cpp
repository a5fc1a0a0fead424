#include "agent/diagnosis/forwarding_evidence.h"

#include "agent/diagnosis/own_policy_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using host::KernelHop;
using host::KernelLink;
using host::KernelRoute;
using host::KernelView;
using F = FactId;

namespace {

constexpr Duration kQuiet = std::chrono::seconds(15);  // three readings without a drop
constexpr std::uint64_t kManyDrops = 5;                // fewer in one reading are odd packets

struct Behind {
  IpPrefix subnet;
  const KernelLink* link;
};

// The first local subnet that has hosts behind an interface here; one on this machine's own loopback has none.
std::optional<Behind> subnet_behind(const config::Tunnel& tunnel, const KernelView& view) {
  for (const IpPrefix& subnet : tunnel.local_subnets) {
    for (const KernelRoute& route : view.routes) {
      const bool leads =
          subnet.contains(route.destination) || (route.destination.length != 0 && route.destination.contains(subnet));
      if (!subnet.address.is_v4() || !route.passes || !leads) continue;
      for (const KernelHop& hop : route.hops) {
        const auto link = view.links.find(hop.link);
        if (link != view.links.end() && link->second.name != "lo") return Behind{subnet, &link->second};
      }
    }
  }
  return std::nullopt;
}

void quieten(Facts& facts, F fact, TimePoint now) {
  if (!facts.is(fact) || now - facts[fact].last > kQuiet) facts.deny(fact, now);
}

}  // namespace

std::optional<ForwardingLook> look_between(const ForwardingCounters& before, const ForwardingCounters& now) {
  if (!before.ip || !now.ip || now.ip->refused < before.ip->refused || now.ip->reverse_path < before.ip->reverse_path)
    return std::nullopt;
  // A machine that tracks no connections drops none for it.
  const std::uint64_t first = before.connection_drops.value_or(0);
  const std::uint64_t last = now.connection_drops.value_or(first);
  return ForwardingLook{now.ip->forwards, now.ip->refused - before.ip->refused,
                        now.ip->reverse_path - before.ip->reverse_path, last > first ? last - first : 0};
}

void judge_forwarding(Facts& facts, const config::Tunnel& tunnel, const KernelView& view,
                      const std::optional<ForwardingLook>& look, TimePoint now) {
  if (!look) return;
  const auto behind = look->forwards ? std::nullopt : subnet_behind(tunnel, view);
  if (!behind) {
    facts.deny(F::forwarding_refused, now);
  } else if (look->refused != 0) {
    facts.affirm(F::forwarding_refused, now, Confidence::likely,
                 describe_no_forwarding(behind->subnet, behind->link->name));
  } else {
    quieten(facts, F::forwarding_refused, now);
  }
  if (look->reverse_path != 0) {
    facts.affirm(F::reverse_path_drops, now, Confidence::likely, describe_reverse_path_drops());
  } else {
    quieten(facts, F::reverse_path_drops, now);
  }
  if (look->connection_drops >= kManyDrops) {
    facts.affirm(F::connection_drops, now, Confidence::likely, describe_connection_drops(look->connection_drops));
  } else {
    quieten(facts, F::connection_drops, now);
  }
}

void forget_forwarding(Facts& facts) {
  for (const F fact : {F::forwarding_refused, F::reverse_path_drops, F::connection_drops}) facts.forget(fact);
}

}  // namespace tunnelwatch::diagnosis
