#include "agent/watch.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using passive::IkeSight;
using passive::Side;

namespace {

// A peer is worth a tunnel of its own where this gateway speaks to it by its own will, or where an SA stands. Whoever
// only knocks (the Internet scans UDP 500 all day) is nobody's tunnel.
bool is_of_ours(const passive::IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::negotiation_started:
      return o.by == Side::local;
    case IkeSight::ike_established:
    case IkeSight::ike_resumed_midway:
    case IkeSight::child_established:
    case IkeSight::child_rekeyed:
    case IkeSight::ike_rekeyed:
      return true;
    default:
      return false;
  }
}

// Whoever asks about a file asks about all of its peers; live, only those of the configuration have a place for sure.
passive::IkeTrackerLimits tracker_limits(const Watch::Options& options) {
  passive::IkeTrackerLimits limits;
  if (options.offline) limits.peers = options.discovery.max_tunnels;
  return limits;
}

}  // namespace

Watch::Watch(Options options) : options_(options), tracker_(tracker_limits(options), *this) {}

void Watch::configure(const std::vector<config::Tunnel>& settings) {
  auto before = tunnels_.take();
  for (const auto& s : settings) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& t) {
      return t != nullptr && t->configured() && t->name() == s.name && t->settings().remote == s.remote;
    });
    if (same != before.end()) {
      (*same)->reconfigure(s);
      tunnels_.add(std::move(*same));
    } else {
      tunnels_.add(std::make_unique<Tunnel>(s, true, options_.loss));
    }
  }
  // What was discovered stays, unless the configuration now names it.
  for (auto& t : before) {
    if (t == nullptr || t->configured()) continue;
    const bool named = t->peer() && std::any_of(tunnels_.all().begin(), tunnels_.all().end(), [&](const auto& n) {
                         return n->configured() && n->matches(*t->peer());
                       });
    if (!named) tunnels_.add(std::move(t));
  }
  tracker_.unpin_all();
  for (const auto& t : tunnels_.all()) {
    if (t->configured() && t->remote()) tracker_.pin(*t->remote());
  }
}

void Watch::set_remote(Tunnel& tunnel, const IpAddress& address) {
  tunnels_.set_remote(tunnel, address);
  tracker_.pin(address);
}

Tunnel* Watch::discover(const passive::PeerKey& key) {
  if (!options_.discovery.enabled) return nullptr;
  if (tunnels_.discovered() >= options_.discovery.max_tunnels) {
    const auto first = tunnels_.all().begin() + static_cast<std::ptrdiff_t>(tunnels_.configured());
    const auto oldest = std::min_element(
        first, tunnels_.all().end(), [](const auto& a, const auto& b) { return a->last_heard() < b->last_heard(); });
    if (oldest == tunnels_.all().end()) return nullptr;
    tunnels_.remove(**oldest);
    ++counters_.evicted;
  }
  config::Tunnel settings;
  settings.name = key.remote.to_string();
  if (find(settings.name) != nullptr)
    settings.name = fmt::format("{}-{}", key.local.to_string(), key.remote.to_string());
  settings.local = key.local;
  settings.remote = {key.remote.to_string(), key.remote};
  Tunnel& found = tunnels_.add(std::make_unique<Tunnel>(std::move(settings), false, options_.loss));
  found.bind(key);
  ++counters_.discovered;
  return &found;
}

const passive::IkePeerView* Watch::view_of(const Tunnel& tunnel) const {
  return tunnel.peer() ? tracker_.find(*tunnel.peer()) : nullptr;
}

void Watch::on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) { tracker_.on_ike(ike, at, reassembled); }

void Watch::on_ike(const passive::PeerKey& peer, const passive::IkeObservation& observation) {
  const auto found = tunnels_.visit(peer, [&](Tunnel& t) { t.on_ike(observation); });
  if (found != 0 || (!options_.offline && !is_of_ours(observation))) return;
  if (Tunnel* t = discover(peer); t != nullptr) t->on_ike(observation);
}

void Watch::on_state(const passive::PeerKey& peer) {
  tunnels_.visit(peer, [](Tunnel& t) { t.note_state(); });
}

// Either the guess of direction was wrong, so the tunnel begins anew under the right key, or the tracker ran out of
// room.
void Watch::on_forgotten(const passive::PeerKey& peer) { tunnels_.remove_discovered(peer); }

void Watch::on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) {
  const bool esp = quoted.kind == wire::DatagramKind::esp || quoted.kind == wire::DatagramKind::esp_in_udp;
  if (!esp && quoted.kind != wire::DatagramKind::ike) return;
  // Our own probes leave from ephemeral ports and have their own error queue.
  const bool from_daemon =
      quoted.source_port == 500 || quoted.source_port == 4500 || quoted.kind == wire::DatagramKind::esp;
  if (!from_daemon) return;
  const auto reason = refusal_of_icmp(error.source.family(), error.icmp_type, error.icmp_code);
  const passive::PeerKey key =
      tracker_.key_of(quoted.source, quoted.destination).value_or(passive::PeerKey{quoted.source, quoted.destination});
  if (key.remote != quoted.destination) return;  // a packet of the peer's that we refuse is the peer's evidence
  const std::uint16_t port = quoted.kind == wire::DatagramKind::esp ? std::uint16_t{0} : quoted.destination_port;
  tunnels_.visit(key, [&](Tunnel& t) {
    t.evidence().on_icmp_error(reason, error.source, error.source == key.remote, esp, port, at);
  });
}

void Watch::on_nat_keepalive(const wire::Datagram&, TimePoint) {}

void Watch::on_esp(const passive::EspStreamSummary& s) {
  tracker_.on_esp(s.source, s.destination, s.in_udp, s.last);
  auto key = tracker_.key_of(s.source, s.destination);
  if (!key) {
    // ESP whose IKE was not seen: a configured tunnel knows its ends.
    const passive::PeerKey out{s.source, s.destination};
    const passive::PeerKey in{s.destination, s.source};
    key = tunnels_.visit(out, [](const Tunnel&) {}) != 0 ? out : in;
  }
  tunnels_.visit(*key, [&](Tunnel& t) { t.on_esp(s, s.source == key->local); });
}

void Watch::on_fragments(const passive::FragmentEvent&) {}

void Watch::settle_changed(TimePoint now) {
  tunnels_.visit_changed([&](Tunnel& t) {
    const auto settled = t.settle(view_of(t), now);
    if (on_change_ && (!settled.causes.empty() || settled.state)) on_change_(t, settled, now);
  });
}

void Watch::forget_idle(TimePoint now) {
  if (options_.offline || tunnels_.discovered() == 0) return;
  std::vector<const Tunnel*> idle;
  for (const auto& t : tunnels_.all()) {
    if (t->configured() || t->last_heard() == TimePoint{}) continue;
    if (now - t->last_heard() > options_.discovery.idle) idle.push_back(t.get());
  }
  for (const Tunnel* t : idle) tunnels_.remove(*t);
  counters_.evicted += idle.size();
}

void Watch::advance(TimePoint now) {
  tracker_.advance(now);
  tunnels_.advance(now);
  settle(now);
  forget_idle(now);
}

void Watch::finish(TimePoint now) {
  tracker_.finish();
  tunnels_.advance(now);
  settle(now);
}

std::vector<exporters::TunnelReport> Watch::report(const WallClock& clock) const {
  std::vector<exporters::TunnelReport> reports;
  reports.reserve(tunnels_.all().size());
  for (const auto& t : tunnels_.all()) reports.push_back(t->report(view_of(*t), clock));
  return reports;
}

}  // namespace tunnelwatch::agent
