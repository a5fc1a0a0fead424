#include "agent/diagnosis/filter_evidence.h"

#include "agent/diagnosis/own_policy_wording.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace tunnelwatch::diagnosis {

using host::FilterRule;
using host::FilterVerdict;
using host::FilterView;
using F = FactId;

namespace {

constexpr Duration kQuiet = std::chrono::seconds(15);  // three looks without a drop
constexpr std::size_t kMaxPairs = 1024;                // of a local and a remote subnet

struct Flow {
  const IpPrefix* source;
  const IpPrefix* destination;
};

bool touches(const std::optional<IpPrefix>& asked, const IpPrefix& subnet) { return !asked || asked->overlaps(subnet); }
bool takes_all(const std::optional<IpPrefix>& asked, const IpPrefix& subnet) {
  return !asked || asked->contains(subnet);
}

bool touches(const FilterRule& rule, const Flow& flow) {
  return touches(rule.source, *flow.source) && touches(rule.destination, *flow.destination);
}

bool takes_all(const FilterRule& rule, const Flow& flow) {
  return !rule.narrower && takes_all(rule.source, *flow.source) && takes_all(rule.destination, *flow.destination);
}

auto chain_of(const FilterRule& rule) { return std::tie(rule.family, rule.table, rule.chain); }

// What names no address drops anybody's packets.
bool tells(const FilterRule& rule) {
  return rule.verdict == FilterVerdict::drops && rule.packets && (rule.source || rule.destination);
}

// The first flow of the tunnel's that some packets of the rule may be of.
std::optional<Flow> flow_of(const config::Tunnel& tunnel, const FilterRule& rule) {
  std::size_t pairs = 0;
  for (const IpPrefix& local : tunnel.local_subnets) {
    for (const IpPrefix& remote : tunnel.remote_subnets) {
      if (local.address.family() != remote.address.family() || ++pairs > kMaxPairs) continue;
      for (const Flow& flow : {Flow{&local, &remote}, Flow{&remote, &local}}) {
        if (touches(rule, flow)) return flow;
      }
    }
  }
  return std::nullopt;
}

bool may_pass_before(const FilterView& view, std::size_t index, const Flow& flow) {
  const FilterRule& rule = view.rules[index];
  return std::any_of(view.rules.begin(), view.rules.begin() + static_cast<std::ptrdiff_t>(index), [&](const auto& r) {
    return r.verdict != FilterVerdict::drops && chain_of(r) == chain_of(rule) && touches(r, flow);
  });
}

}  // namespace

std::vector<FilterDrop> drops_between(const FilterView& before, const FilterView& now) {
  std::map<std::tuple<std::uint8_t, std::string_view, std::string_view, std::uint64_t>, std::uint64_t> counted;
  for (const FilterRule& r : before.rules) {
    if (tells(r)) counted[{r.family, r.table, r.chain, r.handle}] = *r.packets;
  }
  std::vector<FilterDrop> drops;
  for (std::size_t i = 0; i < now.rules.size() && drops.size() < kMaxFilterDrops; ++i) {
    const FilterRule& r = now.rules[i];
    if (!tells(r)) continue;
    const auto it = counted.find({r.family, r.table, r.chain, r.handle});
    if (it != counted.end() && *r.packets > it->second) drops.push_back({i, *r.packets - it->second});
  }
  return drops;
}

std::uint64_t judge_filter(Facts& facts, const config::Tunnel& tunnel, const FilterView& view,
                           std::span<const FilterDrop> drops, TimePoint now) {
  std::uint64_t packets = 0;
  std::optional<Confidence> surest;
  Text text;
  for (const FilterDrop& drop : drops) {
    const FilterRule& rule = view.rules[drop.rule];
    const auto flow = flow_of(tunnel, rule);
    if (!flow) continue;
    packets += drop.packets;
    const bool all = takes_all(rule, *flow) && !may_pass_before(view, drop.rule, *flow);
    const auto confidence = all ? Confidence::likely : Confidence::possible;
    if (surest && *surest >= confidence) continue;
    surest = confidence;
    text = describe_filter_drop(rule, *flow->source, *flow->destination, drop.packets);
  }
  if (surest) {
    facts.affirm(F::filter_drops, now, *surest, std::move(text));
  } else if (!facts.is(F::filter_drops) || now - facts[F::filter_drops].last > kQuiet) {
    facts.deny(F::filter_drops, now);
  }
  return packets;
}

void forget_filter(Facts& facts) { facts.forget(F::filter_drops); }

}  // namespace tunnelwatch::diagnosis
