#include "probes/passive/ike_peer.h"

#include "probes/wire/ike_names.h"

#include <algorithm>

namespace tunnelwatch::passive {

namespace {

constexpr std::size_t kSpentSessions = 3;

constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }

bool is_known_exchange(std::uint8_t exchange) {
  return (exchange >= 1 && exchange <= 6) || (exchange >= 32 && exchange <= 41) || exchange == 43 || exchange == 44;
}

// Payload types that RFC 7296, 7383 and the registry name; others are skipped unless they are critical.
bool is_known_payload_v2(std::uint8_t type) { return type >= 33 && type <= 54; }

}  // namespace

// A request that no responder can accept, sent from a port of its own: somebody asks whether IKE is reachable. Our own
// probes look so in a capture file. Neither they nor their answers say anything about the tunnel.
bool IkeTracker::Peer::is_reachability_probe(const wire::Datagram& d) {
  const auto header = wire::parse_ike_header(d.payload);
  if (!header) return false;
  if (std::find(probe_spis_.begin(), probe_spis_.end(), header->spi_initiator) != probe_spis_.end()) return true;
  if (header->spi_responder != 0 || header->is_response() || d.source_port == 500 || d.source_port == 4500)
    return false;
  constexpr std::uint16_t kPrivateUse = 1024;     // of IKEv2 transform ids
  constexpr std::uint16_t kPrivateUseV1 = 65001;  // of IKEv1 attribute values
  bool probe = header->major() == 3 && header->length == wire::kIkeHeaderSize;
  if (const auto message = wire::parse_ike(d.payload, d.cut); message) {
    if (const auto* sa = message->find(wire::v2_sa); sa != nullptr && header->major() == 2) {
      const auto proposals = wire::parse_sa_v2(sa->body);
      probe = proposals && std::all_of(proposals->begin(), proposals->end(), [](const wire::Proposal& p) {
                return std::any_of(p.transforms.begin(), p.transforms.end(), [](const wire::Transform& t) {
                  return t.type == wire::transform_encryption && t.id >= kPrivateUse;
                });
              });
    } else if (const auto* sa1 = message->find(wire::v1_sa); sa1 != nullptr && header->major() == 1) {
      const auto suites = wire::parse_sa_v1(sa1->body);
      probe = suites && std::all_of(suites->begin(), suites->end(),
                                    [](const wire::Phase1Transform& t) { return t.encryption >= kPrivateUseV1; });
    }
  }
  if (!probe) return false;
  if (probe_spis_.size() == probe_spis_.capacity()) probe_spis_.erase(probe_spis_.begin());
  probe_spis_.push_back(header->spi_initiator);
  return true;
}

void IkeTracker::Peer::on_datagram(const wire::Datagram& d, TimePoint at, bool reassembled) {
  if (is_reachability_probe(d)) return;
  const Side from = d.source == view_.key.local ? Side::local : Side::remote;
  ++view_.messages[index(from)];
  const auto message = wire::parse_ike(d.payload, d.cut);
  if (!message) {
    tell_malformed(message.error(), d, from, at);
    return;
  }
  view_.version = message->header.major();
  tell_oddities(*message, d, from, at);
  learn_offers(*message, from);
  learn_nat(d, *message, from, at);
  Session& session = session_for(*message, from, at);
  current_ = &session;
  const IkeInput in{.message = *message,
                    .from = from,
                    .source_port = d.source_port,
                    .destination_port = d.destination_port,
                    .datagram_length = static_cast<std::uint32_t>(d.payload.size()),
                    .reassembled = reassembled,
                    .fingerprint = 0,
                    .at = at};
  std::visit([&](auto& machine) { machine.on_message(in, *this); }, session.machine);
  current_ = nullptr;
  conclude();
}

IkeTracker::Peer::Session& IkeTracker::Peer::session_for(const wire::IkeMessage& message, Side from, TimePoint at) {
  const auto& h = message.header;
  for (auto it = sessions_.rbegin(); it != sessions_.rend(); ++it) {
    if (it->spi_initiator() != h.spi_initiator) continue;
    if (it->spi_responder() == 0 || h.spi_responder == 0 || it->spi_responder() == h.spi_responder) return *it;
  }
  make_room();
  if (h.major() == 1) {
    // The first message names no responder; where the capture joins later the initiator is a guess.
    sessions_.push_back({IkeV1Session(from, h.spi_initiator, at), at});
    return sessions_.back();
  }
  const Side initiator = h.from_initiator() ? from : other(from);
  IkeV2Session machine(initiator, h.spi_initiator, at);
  const bool from_rekey = h.exchange != wire::ike_sa_init && rekeyed_unseen_;
  if (from_rekey) {
    machine.adopt(rekeyed_suite_);
    rekeyed_unseen_ = false;
  }
  sessions_.push_back({std::move(machine), at});
  return sessions_.back();
}

void IkeTracker::Peer::make_room() {
  // Of what is over and told, only so much is kept as late repetitions may belong to.
  const auto spent = [](const Session& s) {
    return (s.phase() == SessionPhase::ended || s.phase() == SessionPhase::failed) && s.due() == TimePoint::max();
  };
  auto over = static_cast<std::size_t>(std::count_if(sessions_.begin(), sessions_.end(), spent));
  for (auto it = sessions_.begin(); over > kSpentSessions;) {
    if (spent(*it)) {
      it = sessions_.erase(it);
      --over;
    } else {
      ++it;
    }
  }
  if (sessions_.size() < owner_.limits_.sessions_per_peer) return;
  // First what is over, then what was never answered, then what was silent longest.
  auto victim = std::find_if(sessions_.begin(), sessions_.end(), [](const Session& s) {
    return s.phase() == SessionPhase::ended || s.phase() == SessionPhase::failed;
  });
  if (victim == sessions_.end())
    victim = std::find_if(sessions_.begin(), sessions_.end(), [](const Session& s) { return s.half_open(); });
  if (victim == sessions_.end()) {
    victim = std::min_element(sessions_.begin(), sessions_.end(),
                              [](const Session& a, const Session& b) { return a.last_seen() < b.last_seen(); });
  }
  if (victim->phase() != SessionPhase::ended) ++owner_.counters_.evicted_sessions;
  sessions_.erase(victim);
}

void IkeTracker::Peer::learn_offers(const wire::IkeMessage& message, Side from) {
  auto& mine = from == Side::local ? view_.offers.local : view_.offers.remote;
  if (message.header.major() == 2) {
    const auto* sa = message.header.exchange == wire::ike_sa_init ? message.find(wire::v2_sa) : nullptr;
    if (sa == nullptr) return;
    // An answer names one proposal only: it says less than an offer, so it never replaces one.
    if (message.header.is_response() && !mine.empty()) return;
    if (const auto proposals = wire::parse_sa_v2(sa->body)) mine = offers_of(*proposals);
    return;
  }
  const auto* sa = message.find(wire::v1_sa);
  if (sa == nullptr || (message.header.spi_responder != 0 && !mine.empty())) return;
  if (const auto transforms = wire::parse_sa_v1(sa->body)) mine = offers_of(*transforms);
}

void IkeTracker::Peer::learn_nat(const wire::Datagram& d, const wire::IkeMessage& message, Side from, TimePoint at) {
  const auto hashes = nat_hashes(message, d.source, d.source_port, d.destination, d.destination_port);
  const auto before_local = view_.nat_local;
  const auto before_remote = view_.nat_remote;
  if (from == Side::remote) {
    if (hashes.destination_differs) view_.nat_local = *hashes.destination_differs;
    if (hashes.source_differs) {
      // An end that fakes its own hash to force UDP encapsulation looks the same, unless a NAT changed its port too.
      const bool port_changed = d.source_port != 500 && d.source_port != 4500;
      view_.remote_forces_encapsulation = *hashes.source_differs && !port_changed;
      if (!*hashes.source_differs) view_.nat_remote = false;
      if (*hashes.source_differs && port_changed) view_.nat_remote = true;
    }
  } else if (hashes.destination_differs && *hashes.destination_differs) {
    view_.nat_remote = true;  // we address it by another address than the one seen here: translated on this side
  }
  if (view_.nat_local == before_local && view_.nat_remote == before_remote) return;
  if (!view_.nat_local.value_or(false) && !view_.nat_remote.value_or(false)) return;
  IkeObservation o;
  o.sight = IkeSight::nat_detected;
  o.by = from;
  o.version = view_.version;
  o.local_nat = view_.nat_local.value_or(false);
  o.remote_nat = view_.nat_remote.value_or(false);
  o.at = o.since = at;
  on_observation(o);
}

void IkeTracker::Peer::tell_malformed(wire::ParseError, const wire::Datagram& d, Side from, TimePoint at) {
  ++owner_.counters_.malformed;
  IkeObservation o;
  o.sight = IkeSight::malformed;
  o.by = from;
  o.port = d.destination_port;
  o.length = static_cast<std::uint32_t>(d.payload.size());
  o.at = o.since = at;
  on_observation(o);
}

void IkeTracker::Peer::tell_oddities(const wire::IkeMessage& message, const wire::Datagram& d, Side from,
                                     TimePoint at) {
  IkeObservation o;
  o.by = from;
  o.version = message.header.major();
  o.exchange = message.header.exchange;
  o.port = d.destination_port;
  o.length = message.header.length;
  o.at = o.since = at;
  if (message.payload_error) {
    ++owner_.counters_.malformed;
    o.sight = IkeSight::malformed;
    on_observation(o);
  }
  if (!is_known_exchange(message.header.exchange)) {
    o.sight = IkeSight::unknown_exchange;
    on_observation(o);
  }
  if (message.header.major() != 2) return;
  for (const auto& p : message.payloads) {
    if (p.critical && !is_known_payload_v2(p.type)) {
      o.sight = IkeSight::critical_payload;
      on_observation(o);
    }
    if (p.type != wire::v2_sa || message.header.is_response()) continue;
    const auto proposals = wire::parse_sa_v2(p.body);
    if (!proposals) continue;
    const bool sm = std::any_of(proposals->begin(), proposals->end(), [](const wire::Proposal& proposal) {
      return std::any_of(proposal.transforms.begin(), proposal.transforms.end(), wire::is_sm_transform);
    });
    if (sm) {
      o.sight = IkeSight::sm_offered;
      on_observation(o);
    }
  }
}

void IkeTracker::Peer::on_esp(bool from_local, bool in_udp, TimePoint at) {
  view_.esp_in_udp = in_udp;
  for (auto& session : sessions_) {
    // Also one that seemed refused: traffic would show that it was not.
    if (session.phase() != SessionPhase::established && session.phase() != SessionPhase::failed) continue;
    current_ = &session;
    std::visit([&](auto& machine) { machine.on_esp(at, from_local ? Side::local : Side::remote, *this); },
               session.machine);
    current_ = nullptr;
  }
  conclude();
}

bool IkeTracker::Peer::other_alive(const Session* except) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return &s != except && s.phase() == SessionPhase::established && (except == nullptr || s.began >= except->began);
  });
}

// What an SA's own machine cannot know: whether another SA with the same peer lives on or is being made.
void IkeTracker::Peer::on_observation(const IkeObservation& observation) {
  IkeObservation o = observation;
  switch (o.sight) {
    case IkeSight::ike_rekeyed:
      rekeyed_unseen_ = true;
      if (current_ != nullptr && std::holds_alternative<IkeV2Session>(current_->machine)) {
        rekeyed_suite_ = std::get<IkeV2Session>(current_->machine).suite();
      }
      // The successor may have spoken already.
      if (other_alive(current_)) rekeyed_unseen_ = false;
      break;
    case IkeSight::ike_deleted: {
      if (other_alive(current_)) {
        o.sight = IkeSight::ike_replaced;
        break;
      }
      const bool anew = std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
        return &s != current_ && s.began >= o.at && s.phase() != SessionPhase::failed &&
               s.phase() != SessionPhase::ended;
      });
      if (anew) o.sight = IkeSight::ike_reauthenticated;
      break;
    }
    case IkeSight::negotiation_started:
      rekeyed_unseen_ = false;
      break;
    case IkeSight::init_answered:
      for (auto& session : sessions_) {  // attempts that were given up for this one
        const bool older_attempt = &session != current_ && session.phase() != SessionPhase::established &&
                                   session.phase() != SessionPhase::ended;
        if (older_attempt && current_ != nullptr && session.began < current_->began) {
          std::visit([](auto& machine) { machine.supersede(); }, session.machine);
        }
      }
      break;
    case IkeSight::child_refused:
      child_refused_ = true;
      break;
    case IkeSight::ike_established:
      for (auto& session : sessions_) {
        if (&session != current_ && current_ != nullptr && session.began < current_->began) {
          std::visit([](auto& machine) { machine.supersede(); }, session.machine);
        }
      }
      [[fallthrough]];
    case IkeSight::child_established:
    case IkeSight::child_rekeyed:
      child_refused_ = false;
      break;
    default:
      break;
  }
  if (o.version == 0) o.version = view_.version;
  owner_.sink_.on_ike(view_.key, o);
}

void IkeTracker::Peer::advance(TimePoint now) {
  for (auto& session : sessions_) {
    current_ = &session;
    std::visit([&](auto& machine) { now == TimePoint::max() ? machine.finish(*this) : machine.advance(now, *this); },
               session.machine);
    current_ = nullptr;
  }
  conclude();
}

// After each packet and whenever time passed: the state that all SAs together make, and when to look again.
void IkeTracker::Peer::conclude() {
  const PeerState before = view_.state;
  due_ = TimePoint::max();
  bool established = rekeyed_unseen_;
  bool with_child = rekeyed_unseen_;
  bool negotiating = false;
  bool any_end = false;
  for (const auto& s : sessions_) {
    due_ = std::min(due_, s.due());
    switch (s.phase()) {
      case SessionPhase::established:
        established = true;
        with_child = with_child || s.children() > 0 || s.visit([](const auto& m) { return m.joined_midway(); });
        break;
      case SessionPhase::init:
      case SessionPhase::authenticating:
        negotiating = true;
        break;
      case SessionPhase::failed:
      case SessionPhase::ended:
        any_end = true;
        break;
    }
  }
  if (established && with_child) {
    view_.state = PeerState::up;
  } else if (established) {
    view_.state = child_refused_ || !negotiating ? PeerState::down : PeerState::negotiating;
  } else if (negotiating) {
    view_.state = PeerState::negotiating;
  } else if (any_end) {
    view_.state = PeerState::down;
  }
  if (view_.state != before) owner_.sink_.on_state(view_.key);
}

}  // namespace tunnelwatch::passive
