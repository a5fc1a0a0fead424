#include "agent/watch.h"

#include "probes/wire/esp.h"

#include <algorithm>
#include <utility>

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
  limits.may_be_one_sided = options.offline;
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

void Watch::set_remote(Tunnel& tunnel, const IpAddress& address, TimePoint now) {
  const auto before = tunnel.remote();
  // Where the gateway followed the name before we did, the new peer was seen as a stranger meanwhile.
  std::vector<const Tunnel*> strangers;
  bool stands = false;
  tunnels_.visit_remote(address, [&](const Tunnel& t) {
    if (t.configured()) return;
    stands = stands || t.state() == passive::PeerState::up;
    strangers.push_back(&t);
  });
  tunnels_.set_remote(tunnel, address);
  for (const Tunnel* t : strangers) {
    if (!t->peer() || tunnel.matches(*t->peer())) tunnels_.remove(*t);
  }
  if (before && *before != address)
    tunnel.evidence().names().on_change(tunnel.settings().remote.name, *before, address, stands, now);
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
  const auto named = peer_names_.find(key.remote);
  settings.name = named != peer_names_.end() && find(named->second) == nullptr ? named->second : key.remote.to_string();
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

void Watch::on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) {
  tunnels_.expect_packet(ike.source);
  tunnels_.expect_packet(ike.destination);
  current_ = &ike;
  tracker_.on_ike(ike, at, reassembled);
  current_ = nullptr;
}

void Watch::on_ike(const passive::PeerKey& peer, const passive::IkeObservation& observation) {
  const auto found = tunnels_.visit(peer, [&](Tunnel& t) { t.on_ike(observation); });
  if (found == 0 && (options_.offline || is_of_ours(observation))) {
    if (Tunnel* t = discover(peer); t != nullptr) t->on_ike(observation);
  }
  const bool begins = observation.sight == IkeSight::negotiation_started && observation.by == Side::local;
  if (begins && current_ != nullptr) judge_source(*current_, observation.at);
  if (on_observation_) on_observation_(peer, observation);
}

void Watch::on_state(const passive::PeerKey& peer) {
  tunnels_.visit(peer, [](Tunnel& t) { t.note_state(); });
}

// Our IKE leaves for the peer of a tunnel, but not from the address that the tunnel says. Where its own NAT detection
// hash is that of the right address, the daemon is right and something behind it translates.
void Watch::judge_source(const wire::Datagram& d, TimePoint at) {
  tunnels_.visit_remote(d.destination, [&](Tunnel& t) {
    const auto& local = t.settings().local;
    if (!t.configured() || !local || *local == d.source || local->family() != d.source.family()) return;
    bool translated = false;
    if (const auto message = wire::parse_ike(d.payload, d.cut); message) {
      for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
        const auto hashes = passive::nat_hashes(*message, *local, port, d.destination, d.destination_port);
        translated = translated || (hashes.source_differs && !*hashes.source_differs);
      }
    }
    t.evidence().on_address(
        translated ? diagnosis::AddressOddity::source_translated : diagnosis::AddressOddity::other_local, d.source,
        *local, at);
  });
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
  // Nor does an SPI that no SA can have: a trace of ours, by the daemon or by hand, asks with it.
  const auto esp_header = quoted.kind == wire::DatagramKind::esp ? wire::read_esp_header(quoted.payload) : std::nullopt;
  if (esp_header && esp_header->spi < wire::kFirstOwnSpi) return;
  const auto reason = refusal_of_icmp(error.source.family(), error.icmp_type, error.icmp_code);
  const passive::PeerKey key =
      tracker_.key_of(quoted.source, quoted.destination).value_or(passive::PeerKey{quoted.source, quoted.destination});
  if (key.remote != quoted.destination) return;  // a packet of the peer's that we refuse is the peer's evidence
  const std::uint16_t port = quoted.kind == wire::DatagramKind::esp ? std::uint16_t{0} : quoted.destination_port;
  tunnels_.visit(key, [&](Tunnel& t) {
    t.evidence().on_icmp_error(reason, error.source, error.source == key.remote, esp, port, at);
    if (esp) t.esp_reach().on_icmp_error(reason, error.source, error.source == key.remote, at);
  });
}

void Watch::on_nat_keepalive(const wire::Datagram&, TimePoint) {}

void Watch::on_esp(const passive::EspStreamSummary& s) {
  tracker_.on_esp(s.source, s.destination, s.in_udp, s.last);
  auto key = tracker_.key_of(s.source, s.destination);
  bool known = key.has_value();
  if (!key) {
    // ESP whose IKE was not seen: a configured tunnel, or one that was discovered before, knows its ends.
    const passive::PeerKey out{s.source, s.destination};
    const passive::PeerKey in{s.destination, s.source};
    const auto any = [&](const passive::PeerKey& k) { return tunnels_.visit(k, [](const Tunnel&) {}) != 0; };
    const bool is_out = any(out);
    known = is_out || any(in);
    key = is_out || (!known && tracker_.is_sent_by_us(s.source, s.destination)) ? out : in;
  }
  if (!known && (s.live || options_.offline)) discover(*key);
  tunnels_.visit(*key, [&](Tunnel& t) { t.on_esp(s, s.source == key->local); });
  if (s.live) judge_spi(s, *key);
}

// A receiver finds the SA by its own address and the SPI: two senders with one SPI are in each other's way, where both
// go on. One that takes over from the other is the same peer at a new address.
void Watch::judge_spi(const passive::EspStreamSummary& s, const passive::PeerKey& key) {
  constexpr std::size_t kMostSpis = 4096;
  constexpr unsigned kTurns = 3;
  if (spis_.size() > kMostSpis) spis_.clear();
  SpiUse& use = spis_[{s.destination, s.spi}];
  const bool other_source = use.turns > 0 && use.source != s.source;
  use.turns = other_source ? use.turns + 1 : std::max(use.turns, 1U);
  const IpAddress before = std::exchange(use.source, s.source);
  if (!other_source || use.turns <= kTurns) return;
  const bool inbound = s.destination == key.local;
  tunnels_.visit(key, [&](Tunnel& t) {
    if (inbound) t.evidence().on_shared_spi(s.spi, before, s.last);
  });
}

// IP fragments of IKE, or of what may be IKE as far as they came.
void Watch::on_fragments(const passive::FragmentEvent& e) {
  const bool ike = e.ports_known && (e.source_port == 500 || e.source_port == 4500 || e.destination_port == 500 ||
                                     e.destination_port == 4500);
  const auto key = tracker_.key_of(e.source, e.destination);
  if (!key || (e.ports_known && !ike)) return;
  tunnels_.visit(*key, [&](Tunnel& t) { t.evidence().on_fragments(e, e.source == key->remote); });
}

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
  tracker_.finish(now);
  tunnels_.advance(now);
  settle(now);
}

std::vector<exporters::TunnelReport> Watch::report(const WallClock& clock, exporters::Detail detail) const {
  std::vector<exporters::TunnelReport> reports;
  reports.reserve(tunnels_.all().size());
  for (const auto& t : tunnels_.all()) reports.push_back(t->report(view_of(*t), clock, detail));
  return reports;
}

}  // namespace tunnelwatch::agent
