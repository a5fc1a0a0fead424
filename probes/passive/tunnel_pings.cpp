#include "probes/passive/tunnel_pings.h"

#include <algorithm>

namespace tunnelwatch::passive {

void TunnelPings::set_interest(const TrafficInterest& interest) {
  std::vector<Entry> before = std::move(entries_);
  entries_.clear();
  by_address_.clear();
  for (const TunnelInterest& tunnel : interest.tunnels) {
    if (!tunnel.local_address) continue;
    const auto same = std::find_if(before.begin(), before.end(), [&](const Entry& e) {
      return e.tunnel == tunnel.tunnel && e.local == *tunnel.local_address;
    });
    by_address_[*tunnel.local_address].push_back(entries_.size());
    if (same != before.end()) {
      entries_.push_back(std::move(*same));
      continue;
    }
    Entry& entry = entries_.emplace_back();
    entry.tunnel = entry.counts.tunnel = tunnel.tunnel;
    entry.local = *tunnel.local_address;
  }
}

void TunnelPings::give_up(Entry& entry, const Request& request) {
  TunnelPingSummary& c = entry.counts;
  if (c.unanswered_in_a_row++ == 0) c.row_since = request.at;
  entry.changed = true;
}

void TunnelPings::expire(Entry& entry, TimePoint now) {
  while (!entry.pending.empty() && now - entry.pending.front().at >= kTimeout) {
    give_up(entry, entry.pending.front());
    entry.pending.pop_front();
  }
}

void TunnelPings::on_packet(const wire::Datagram& d, TimePoint at) {
  const bool request = d.icmp_type == 8 || d.icmp_type == 128;
  const auto it = by_address_.find(request ? d.destination : d.source);
  if (it == by_address_.end()) return;
  wire::ByteReader r(d.payload);
  r.skip(4);
  const std::uint32_t id_and_sequence = r.u32();
  if (r.failed()) return;
  for (const std::size_t index : it->second) {
    Entry& entry = entries_[index];
    expire(entry, at);
    if (request) {
      ++entry.counts.requests;
      entry.counts.from = d.source;
      entry.counts.last = at;
      entry.changed = true;
      if (entry.pending.size() == kPending) entry.pending.pop_front();  // a flood: what becomes of it is not counted
      entry.pending.push_back({id_and_sequence, at});
      continue;
    }
    const auto asked = std::find_if(entry.pending.begin(), entry.pending.end(),
                                    [&](const Request& p) { return p.id_and_sequence == id_and_sequence; });
    if (asked == entry.pending.end()) continue;
    entry.pending.erase(asked);
    ++entry.counts.answered;
    entry.counts.unanswered_in_a_row = 0;
    entry.changed = true;
  }
}

void TunnelPings::collect(TimePoint now, std::vector<TunnelPingSummary>& out) {
  for (Entry& entry : entries_) {
    expire(entry, now);
    if (!entry.changed) continue;
    entry.changed = false;
    out.push_back(entry.counts);
  }
}

}  // namespace tunnelwatch::passive
