#include "probes/passive/leak_tracker.h"

#include <algorithm>

namespace tunnelwatch::passive {

void LeakTracker::set_interest(const TrafficInterest& interest) {
  std::vector<Entry> before = std::move(entries_);
  entries_.clear();
  remote_.clear();
  entries_by_peer_.clear();
  own_addresses_ = interest.own_addresses;
  own_echo_id_ = interest.own_echo_id;
  for (const TunnelInterest& tunnel : interest.tunnels) {
    const std::size_t index = entries_.size();
    const auto same = std::find_if(before.begin(), before.end(), [&](const Entry& e) { return e.interest == tunnel; });
    if (same != before.end()) {
      entries_.push_back(std::move(*same));  // a reload of other tunnels interrupts no run
    } else {
      entries_.push_back({tunnel, std::nullopt, {}, 0});
    }
    if (tunnel.remote) entries_by_peer_[*tunnel.remote].push_back(index);
    for (const IpPrefix& subnet : tunnel.remote_subnets) add(subnet, index);
  }
  std::sort(remote_.begin(), remote_.end(),
            [](const SameLength& a, const SameLength& b) { return a.length > b.length; });
}

// A route-based tunnel whose remote subnet is everything has no traffic of which this machine could tell that it ought
// to be inside.
void LeakTracker::add(const IpPrefix& subnet, std::size_t entry) {
  if (subnet.length == 0) return;
  const auto family = subnet.address.family();
  auto it = std::find_if(remote_.begin(), remote_.end(),
                         [&](const SameLength& s) { return s.family == family && s.length == subnet.length; });
  if (it == remote_.end()) it = remote_.insert(remote_.end(), SameLength{family, subnet.length, {}});
  auto& list = it->entries[subnet.address];
  if (list.empty() || list.back() != entry) list.push_back(entry);
}

void LeakTracker::on_outer(const IpAddress& source, const IpAddress& destination, TimePoint at) {
  if (entries_.empty()) return;  // asked for every packet of a file
  for (const IpAddress* address : {&source, &destination}) {
    const auto it = entries_by_peer_.find(*address);
    if (it == entries_by_peer_.end()) continue;
    for (const std::size_t index : it->second) entries_[index].outer = at;
  }
}

bool LeakTracker::is_own(const IpAddress& address) const {
  return std::find(own_addresses_.begin(), own_addresses_.end(), address) != own_addresses_.end();
}

// RFC 792, RFC 4443 section 4.1: type, code, checksum, identifier.
bool LeakTracker::is_own_echo(const wire::Datagram& d) const {
  if (d.kind != wire::DatagramKind::icmp_echo || !own_echo_id_) return false;
  wire::ByteReader r(d.payload);
  r.skip(4);
  const std::uint16_t id = r.u16();
  return !r.failed() && id == *own_echo_id_;
}

LeakTracker::Source LeakTracker::source_of(const Entry& entry, const wire::Datagram& packet) const {
  const auto& local = entry.interest.local_subnets;
  const bool inside = local.empty() ? packet.source.is_private()
                                    : std::any_of(local.begin(), local.end(),
                                                  [&](const IpPrefix& p) { return p.contains(packet.source); });
  if (inside) return Source::local;
  return is_own(packet.source) ? Source::translated : Source::foreign;
}

void LeakTracker::on_packet(const wire::Datagram& packet, TimePoint at, std::vector<LeakSummary>& out) {
  if (packet.link_direction == wire::LinkDirection::in) return;
  for (const SameLength& subnets : remote_) {
    if (subnets.family != packet.destination.family()) continue;
    const auto it = subnets.entries.find(IpPrefix::of(packet.destination, subnets.length).address);
    if (it == subnets.entries.end()) continue;
    // The peer's own address may lie in its subnets: what is for the peer itself travels outside by right.
    if (entries_by_peer_.contains(packet.destination)) return;
    bool found = false;
    for (const std::size_t index : it->second) {
      const Source source = source_of(entries_[index], packet);
      // The agent's own pings choose their source by the route: from outside the local subnets nobody translated them.
      if (source == Source::foreign || (source == Source::translated && is_own_echo(packet))) continue;
      found = true;
      count(entries_[index], packet, source == Source::translated, at, out);
    }
    if (found) return;
  }
}

void LeakTracker::count(Entry& entry, const wire::Datagram& packet, bool translated, TimePoint at,
                        std::vector<LeakSummary>& out) {
  LeakSummary& run = entry.run;
  if (run.packets == 0 || at - run.last > kPause) {
    run = {};
    run.first = at;
    entry.told = 0;
  }
  ++run.packets;
  run.translated += translated ? 1 : 0;
  run.source = packet.source;
  run.destination = packet.destination;
  run.last = at;
  if (run.packets != kTellAt) return;
  entry.told = run.packets;
  out.push_back(summary(entry));
}

LeakSummary LeakTracker::summary(const Entry& entry) const {
  LeakSummary s = entry.run;
  s.tunnel = entry.interest.tunnel;
  s.carries_outer = entry.outer && s.last - *entry.outer <= kOuterLately;
  return s;
}

void LeakTracker::collect(std::vector<LeakSummary>& out) {
  for (Entry& entry : entries_) {
    if (entry.run.packets == entry.told) continue;
    entry.told = entry.run.packets;
    out.push_back(summary(entry));
  }
}

}  // namespace tunnelwatch::passive
