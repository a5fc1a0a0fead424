#include "agent/way_changes.h"

#include "agent/log.h"
#include "agent/watch.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

// As ip(8) says it: "via 192.0.2.1 dev wan".
std::string text_of(const host::KernelRoute& way, const host::KernelView& view) {
  if (way.hops.empty()) return "nowhere";
  const host::KernelHop& hop = way.hops.front();
  const auto link = view.links.find(hop.link);
  const std::string name = link == view.links.end() ? std::to_string(hop.link) : link->second.name;
  return hop.gateway ? fmt::format("via {} dev {}", hop.gateway->to_string(), name) : "dev " + name;
}

}  // namespace

void WayChanges::keep(const Watch& watch) {
  std::map<std::string, Way> kept;
  for (const auto& tunnel : watch.tunnels()) {
    const auto it = ways_.find(tunnel->name());
    if (tunnel->configured() && it != ways_.end()) kept.insert(std::move(*it));
  }
  ways_ = std::move(kept);
}

void WayChanges::note(const std::string& tunnel, const host::KernelRoute& way, const host::KernelView& view,
                      TimePoint now) {
  Way& known = ways_[tunnel];
  std::string text = text_of(way, view);
  if (text == known.text) return;
  const std::string before = std::exchange(known.text, std::move(text));
  if (before.empty()) return;
  ++known.changes;
  const std::string detail = fmt::format("packets for the peer leave {}, and {} before", known.text, before);
  log::info("next_hop_changed",
            fmt::format("tunnel={} to={} from={}", log::quoted(tunnel), log::quoted(known.text), log::quoted(before)));
  known.events.push_back({now, detail});
  if (known.events.size() > kMaxEvents) known.events.pop_front();
}

void WayChanges::report(exporters::Report& report, const WallClock& clock) const {
  for (exporters::TunnelReport& tunnel : report.tunnels) {
    const auto it = ways_.find(tunnel.name);
    if (it == ways_.end()) continue;
    if (it->second.changes != 0) tunnel.event_counts.emplace_back("next_hop_changed", it->second.changes);
    for (const Event& event : it->second.events) {
      const exporters::EventReport added{clock.at(event.at), "next_hop_changed", "local", event.detail};
      const auto behind =
          std::upper_bound(tunnel.events.begin(), tunnel.events.end(), added.time,
                           [](const auto& time, const exporters::EventReport& e) { return time < e.time; });
      tunnel.events.insert(behind, added);
    }
  }
}

}  // namespace tunnelwatch::agent
