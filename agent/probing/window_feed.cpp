#include "agent/probing/window_feed.h"

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kFullFeed = 2s;

}  // namespace

// They stand together in the map, which may hold thousands of others.
WindowFeed::References WindowFeed::references(EchoDriver::Targets& targets, bool all, TimePoint now) {
  const auto first = targets.lower_bound({"", TargetRole::reference, ""});
  const auto is_one = [&](auto it) { return it != targets.end() && it->first.role == TargetRole::reference; };
  References list;
  bool changed = all;
  for (auto it = first; is_one(it); ++it) changed = std::exchange(it->second.changed, false) || changed;
  if (!changed) return list;
  for (auto it = first; is_one(it); ++it) list.emplace_back(&it->first, it->second.statistics.window(now));
  return list;
}

void WindowFeed::feed_gateway(EchoDriver::Targets& targets, Tunnel& tunnel, bool all, TimePoint now) {
  const auto& s = tunnel.settings();
  const auto it = targets.find({s.name, TargetRole::gateway, s.remote.name});
  if (it == targets.end() || !(all || it->second.changed)) return;
  it->second.changed = false;
  tunnel.evidence().on_gateway_echo(it->first.target, it->second.statistics.window(now), now);
}

void WindowFeed::feed_inner(EchoDriver::Targets& targets, Tunnel& tunnel, bool all, TimePoint now) {
  const auto& s = tunnel.settings();
  const auto& hosts = tunnel.pinged_inside();
  bool changed = all;
  for (const auto& host : hosts) {
    const auto it = targets.find({s.name, TargetRole::inner, host.name});
    if (it != targets.end()) changed = std::exchange(it->second.changed, false) || changed;
  }
  for (std::size_t i = 0; changed && i < hosts.size(); ++i) {
    const auto it = targets.find({s.name, TargetRole::inner, hosts[i].name});
    if (it == targets.end()) continue;
    const bool last = i + 1 == hosts.size();
    const auto window = it->second.statistics.window(now);
    tunnel.evidence().on_inner_echo(it->first.target, window, now, i == 0, last);
    const bool fits = s.local_subnets.empty() || it->second.wish.params.source;
    tunnel.traffic().on_inner_echo({it->first.target, it->second.wish.address, fits}, window, now, last);
    // From elsewhere, or where what belongs inside leaves in clear, an answer says nothing of the tunnel.
    if (fits && !tunnel.evidence().facts().is(diagnosis::FactId::leaves_in_clear))
      tunnel.esp_reach().on_inner_echo(it->first.target, window);
  }
}

void WindowFeed::feed(EchoDriver& echo, const Watch& watch, TimePoint now) {
  const bool all = now >= next_full_feed_;
  if (all) next_full_feed_ = now + kFullFeed;
  auto& targets = echo.targets();
  const auto told = references(targets, all, now);
  for (const auto& tunnel : watch.tunnels()) {
    for (std::size_t i = 0; i < told.size(); ++i) {
      tunnel->evidence().on_reference_echo(told[i].first->target, told[i].second, now, i == 0, i + 1 == told.size());
    }
    feed_gateway(targets, *tunnel, all, now);
    feed_inner(targets, *tunnel, all, now);
  }
}

}  // namespace tunnelwatch::agent
