#include "probes/passive/outer_paths.h"

#include <algorithm>

namespace tunnelwatch::passive {

void OuterPaths::set_interest(const TrafficInterest& interest) {
  entries_.clear();
  by_peer_.clear();
  for (const TunnelInterest& tunnel : interest.tunnels) {
    if (!tunnel.remote) continue;
    by_peer_[*tunnel.remote].push_back(entries_.size());
    Entry& entry = entries_.emplace_back();
    entry.seen.tunnel = tunnel.tunnel;
    entry.local = tunnel.local;
  }
  for (const auto& [peer, sharing] : by_peer_) {
    if (sharing.size() == 1) entries_[sharing.front()].local.reset();
  }
}

void OuterPaths::on_packet(const IpAddress& source, const IpAddress& destination, TimePoint at) {
  if (entries_.empty()) return;  // asked for every packet of a file
  const auto note = [&](const IpAddress& peer, const IpAddress& end, std::optional<TimePoint> OuterPathSummary::*last) {
    const auto it = by_peer_.find(peer);
    if (it == by_peer_.end()) return;
    for (const std::size_t index : it->second) {
      Entry& entry = entries_[index];
      if (entry.local && *entry.local != end) continue;
      entry.seen.*last = std::max((entry.seen.*last).value_or(at), at);
      entry.changed = true;
    }
  };
  note(destination, source, &OuterPathSummary::out);
  note(source, destination, &OuterPathSummary::in);
}

void OuterPaths::collect(std::vector<OuterPathSummary>& out) {
  for (Entry& entry : entries_) {
    if (!entry.changed) continue;
    entry.changed = false;
    out.push_back(entry.seen);
  }
}

}  // namespace tunnelwatch::passive
