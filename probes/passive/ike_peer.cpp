#include "probes/passive/ike_peer.h"

#include "probes/wire/ike_names.h"

#include <algorithm>
#include <utility>

namespace tunnelwatch::passive {

namespace {

constexpr std::size_t kSpentSessions = 3;
// A peer that answered under another SA this long before is there, and for this long nobody waits for the other one.
constexpr Duration kTalks = std::chrono::seconds(10);
constexpr Duration kRedundantFor = std::chrono::seconds(30);

// Neither a first exchange nor part of one: an error word beside an SA that the sender does not have.
bool is_aside(const wire::IkeHeader& h) {
  return h.major() == 1 ? h.exchange == wire::v1_informational
                        : h.exchange != wire::ike_sa_init && h.exchange != wire::ike_session_resume;
}

// The successor of a rekeyed IKE SA speaks for the first time within this, if the capture shows the rekey.
constexpr Duration kSuccessorSpeaks = std::chrono::seconds(60);

}  // namespace

// Between other addresses than this peer's own, one end is the one that stayed; where both moved, the flag of the
// header tells.
Side IkeTracker::Peer::side_of(const wire::Datagram& d) const {
  if (d.source == view_.key.local || d.destination == view_.key.remote) return Side::local;
  if (d.source == view_.key.remote || d.destination == view_.key.local) return Side::remote;
  const auto header = wire::parse_ike_header(d.payload);
  for (const Session& s : sessions_) {
    if (header && s.spi_initiator() == header->spi_initiator)
      return header->from_initiator() ? s.initiator() : other(s.initiator());
  }
  return Side::remote;
}

IkeObservation IkeTracker::Peer::observe(IkeSight sight, Side from, const wire::Datagram& d, TimePoint at) const {
  IkeObservation o;
  o.sight = sight;
  o.by = from;
  o.version = view_.version;
  o.port = d.destination_port;
  o.length = static_cast<std::uint32_t>(d.payload.size());
  o.at = o.since = at;
  return o;
}

void IkeTracker::Peer::on_datagram(const wire::Datagram& d, TimePoint at, bool reassembled) {
  if (is_reachability_probe(d)) {
    ++owner_.counters_.own_probes;
    return;
  }
  ++owner_.counters_.messages;
  const Side from = side_of(d);
  ++view_.messages[index(from)];
  floated_ = floated_ || d.source_port == 4500 || d.destination_port == 4500;
  const auto message = wire::parse_ike(d.payload, d.cut);
  if (!message) {
    if (d.cut && message.error() == wire::ParseError::truncated) return;  // the capture's doing
    tell_malformed(message.error(), d, from, at);
    return;
  }
  const auto& h = message->header;
  // The newest first: nearly every message belongs to it, and the older ones are far from the cache.
  const auto namesake = std::find_if(sessions_.rbegin(), sessions_.rend(),
                                     [&](const Session& s) { return s.spi_initiator() == h.spi_initiator; });
  const bool crossed =
      namesake != sessions_.rend() && namesake->version() != h.major() && namesake->initiator() != from;
  if (crossed) {
    auto o = observe(IkeSight::version_crossed, from, d, at);
    o.version = h.major();
    on_observation(o);
    return;
  }
  view_.version = h.major();
  tell_oddities(*message, d, from, at);
  // RFC 7383 section 2.6: whoever receives it discards it, so it asks and answers nothing.
  if (message->payload_error && message->find(wire::v2_encrypted_fragment) != nullptr) return;
  learn_offers(*message, from);
  learn_sides(h, from);
  const bool known = session_of(h) != nullptr;
  if (!known && !message->encrypted && is_aside(h)) return tell_clear_notifies(*message, d, from, at);
  Session& session = session_for(*message, from, at);
  touch(session);
  current_ = &session;
  if (known || h.spi_responder == 0) learn_nat(d, *message, from, at);  // not of an answer that nobody asked for
  learn_address(session, d, from, at);
  learn_port(session, d, from, at);
  const IkeInput in{.message = *message,
                    .from = from,
                    .source_port = d.source_port,
                    .destination_port = d.destination_port,
                    .datagram_length = static_cast<std::uint32_t>(d.payload.size()),
                    .reassembled = reassembled,
                    .sibling_lives = h.exchange == wire::v1_informational && has_sibling(session),
                    .at = at};
  std::visit([&](auto& machine) { machine.on_message(in, *this); }, session.machine);
  current_ = nullptr;
  conclude();
}

// The newest SA with these SPIs. One that was half-open takes the responder's SPI from its first answer; while it is
// negotiated, another responder SPI is its own business.
IkeTracker::Peer::Session* IkeTracker::Peer::session_of(const wire::IkeHeader& h) {
  for (auto it = sessions_.rbegin(); it != sessions_.rend(); ++it) {
    if (it->spi_initiator() != h.spi_initiator || it->version() != h.major()) continue;
    if (it->spi_responder() == 0 || h.spi_responder == 0 || it->spi_responder() == h.spi_responder) return &*it;
    if (it->phase() == SessionPhase::authenticating || it->phase() == SessionPhase::init) return &*it;
  }
  return nullptr;
}

bool IkeTracker::Peer::has_session(const wire::IkeHeader& h) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return s.spi_initiator() == h.spi_initiator && s.version() == h.major() &&
           (s.spi_responder() == h.spi_responder || s.spi_responder() == 0);
  });
}

IkeTracker::Peer::Session& IkeTracker::Peer::session_for(const wire::IkeMessage& message, Side from, TimePoint at) {
  const auto& h = message.header;
  if (Session* known = session_of(h); known != nullptr) return *known;
  make_room();
  if (h.major() == 1) {
    // The first message names no responder; where the capture joins later the initiator is a guess.
    ++unspent_;
    sessions_.push_back({.began = at, .machine = IkeV1Session(from, h.spi_initiator, at)});
    return sessions_.back();
  }
  const Side initiator = h.from_initiator() ? from : other(from);
  IkeV2Session machine(initiator, h.spi_initiator, at);
  // SPIs that no first exchange ever named, after one that may have been a rekey: its successor, which may speak before
  // the old SA is deleted.
  const bool successor = h.exchange != wire::ike_sa_init && h.exchange != wire::ike_session_resume;
  const bool begins_with_its_end = h.exchange == wire::informational && h.message_id == 0 &&
                                   message.first_inner == static_cast<std::uint8_t>(wire::v2_delete);
  bool redundant = false;  // RFC 7296, 2.8.2: who made the successor that loses deletes it
  for (const Session& s : sessions_) {
    const auto* old = std::get_if<IkeV2Session>(&s.machine);
    if (!successor || old == nullptr || !old->may_be_rekeyed_at()) continue;
    if (at - *old->may_be_rekeyed_at() >= kSuccessorSpeaks) continue;
    machine.adopt(old->heritage(), at);
    redundant = redundant || (begins_with_its_end && old->rekeys_cross());
  }
  if (successor && rekeyed_unseen_) machine.adopt(rekeyed_, at);
  if (successor && !redundant) rekeyed_unseen_ = false;
  ++unspent_;
  sessions_.push_back({.redundant = redundant, .began = at, .machine = std::move(machine)});
  return sessions_.back();
}

// The children of version 1 outlive the ISAKMP SA that made them: the newest one that stands has them then.
void IkeTracker::Peer::hand_over_children(const Session& from) {
  if (from.version() != 1 || from.phase() != SessionPhase::established || from.children() == 0) return;
  for (auto it = sessions_.rbegin(); it != sessions_.rend(); ++it) {
    auto* heir = std::get_if<IkeV1Session>(&it->machine);
    if (heir == nullptr || &*it == &from || it->phase() != SessionPhase::established) continue;
    return heir->adopt(from.children());
  }
}

void IkeTracker::Peer::make_room() {
  // Of what is over and told, only so much is kept as late repetitions may belong to.
  auto spent = sessions_.size() - unspent_;
  for (auto it = sessions_.begin(); spent > kSpentSessions;) {
    if (it->spent) {
      it = sessions_.erase(it);
      --spent;
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
  if (!victim->spent) --unspent_;
  hand_over_children(*victim);
  sessions_.erase(victim);
}

// What a capture of one direction cannot know. A repetition of version 2 says by itself that no answer came.
bool IkeTracker::Peer::is_hearsay(const IkeObservation& o) const {
  if (!view_.one_sided) return false;
  switch (o.sight) {
    case IkeSight::child_refused:
    case IkeSight::rekey_refused:
    case IkeSight::group_abandoned:
      return true;
    case IkeSight::init_unanswered:
    case IkeSight::auth_unanswered:
    case IkeSight::eap_unanswered:
    case IkeSight::xauth_unanswered:
    case IkeSight::child_unanswered:
    case IkeSight::request_unanswered:
      return o.version == 1 || o.sends < 2;
    default:
      return false;
  }
}

// The children of version 1 outlive their ISAKMP SA, and any later one may delete them: a single deletion is the end
// only where no other SA made a child.
bool IkeTracker::Peer::is_of_another_sa(const IkeObservation& o) const {
  return o.sight == IkeSight::child_deleted && o.version == 1 && has_children_elsewhere(current_);
}

bool IkeTracker::Peer::has_children_elsewhere(const Session* except) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const Session& s) { return &s != except && s.version() == 1 && s.children() > 0; });
}

// Both ends that rekey at once make two successors, and who loses (RFC 7296 section 2.8.2) may be asked once more by an
// end that has not forgotten it yet. Silence under one SA while the peer talks under another says nothing of the peer:
// should it be gone, the other one tells.
bool IkeTracker::Peer::is_redundant(const IkeObservation& o) const {
  if (o.sight != IkeSight::request_unanswered || o.at - o.since >= kRedundantFor) return false;
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return &s != current_ && s.phase() == SessionPhase::established && s.answered && *s.answered > o.since - kTalks;
  });
}

// An initiator that begins anew as soon as it has the other end's last answer, without a word or a packet on what was
// made, cannot use it, whatever the answer says.
void IkeTracker::Peer::note_abandoned(Side initiator, TimePoint at) {
  const bool gave_up = std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    const auto* machine = std::get_if<IkeV2Session>(&s.machine);
    return &s != current_ && machine != nullptr && machine->initiator() == initiator && machine->unused_since(at);
  });
  abandons_ = abandons_ || gave_up;
}

void IkeTracker::Peer::on_esp(bool from_local, bool in_udp, TimePoint at) {
  abandons_ = false;
  view_.esp_in_udp = in_udp;
  floated_ = floated_ || in_udp;
  for (auto& session : sessions_) {
    // Also one that seemed refused, or whose last answer may not have been the last: traffic shows what it was.
    if (session.phase() == SessionPhase::init || session.phase() == SessionPhase::ended) continue;
    touch(session);
    current_ = &session;
    const Side from = from_local ? Side::local : Side::remote;
    if (auto* v2 = std::get_if<IkeV2Session>(&session.machine)) {
      v2->on_esp(at, from, other_alive(&session) == nullptr, *this);
    } else {
      std::get<IkeV1Session>(session.machine).on_esp(at, from, *this);
    }
    current_ = nullptr;
  }
  conclude();
}

// Another SA with the same peer that stands; one that a later SA left behind and that never spoke again does not count.
const IkeTracker::Peer::Session* IkeTracker::Peer::other_alive(const Session* except) const {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return &s != except && s.phase() == SessionPhase::established && !s.leftover() && !s.redundant;
  });
  return found == sessions_.end() ? nullptr : &*found;
}

// Another SA that stands, or whose children may.
bool IkeTracker::Peer::has_sibling(const Session& session) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return &s != &session && (s.phase() == SessionPhase::established || s.children() > 0);
  });
}

// An SA that was deleted while another one stands was replaced: by its own maker's successor, or because who answered
// the newer one keeps only one. Deleted while a new one is being made: a reauthentication.
IkeSight IkeTracker::Peer::sight_of_deletion(const IkeObservation& o) const {
  if (const Session* alive = other_alive(current_); alive != nullptr) {
    const bool newer = current_ != nullptr && alive->began >= current_->began;
    return newer && alive->initiator() != o.by ? IkeSight::ike_kicked : IkeSight::ike_replaced;
  }
  const bool anew = std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) {
    return &s != current_ && s.began >= o.at && s.phase() != SessionPhase::failed && s.phase() != SessionPhase::ended;
  });
  return anew ? IkeSight::ike_reauthenticated : IkeSight::ike_deleted;
}

// What an SA's own machine cannot know: whether another SA with the same peer lives on or is being made.
void IkeTracker::Peer::on_observation(const IkeObservation& observation) {
  if (is_hearsay(observation) || is_of_another_sa(observation) || is_redundant(observation)) return;
  IkeObservation o = observation;
  switch (o.sight) {
    case IkeSight::ike_rekeyed:
      rekeyed_unseen_ = true;
      if (current_ != nullptr && std::holds_alternative<IkeV2Session>(current_->machine)) {
        rekeyed_ = std::get<IkeV2Session>(current_->machine).heritage();
      }
      // The successor may have spoken already.
      if (other_alive(current_) != nullptr) rekeyed_unseen_ = false;
      break;
    case IkeSight::ike_deleted:
      if (current_ != nullptr && current_->redundant) return;  // the other successor goes on
      o.sight = sight_of_deletion(o);
      break;
    case IkeSight::xauth_refused:
      if (has_children_elsewhere(current_))
        return;  // asked again with a new ISAKMP SA, whose children were there before
      break;
    case IkeSight::isakmp_deleted_alone:
      if (other_alive(current_) != nullptr) return;  // its successor has the children
      break;
    case IkeSight::negotiation_started:
      rekeyed_unseen_ = false;
      note_abandoned(o.by, o.at);
      for (auto& session : sessions_) {  // an attempt anew under another SPI may be the answer to what was asked
        auto* other_attempt = std::get_if<IkeV2Session>(&session.machine);
        if (&session != current_ && other_attempt != nullptr) other_attempt->forget_group();
      }
      break;
    case IkeSight::init_answered:
      for (auto& session : sessions_) {  // attempts that were given up for this one
        const bool older_attempt = &session != current_ && session.phase() != SessionPhase::established &&
                                   session.phase() != SessionPhase::ended;
        if (older_attempt && current_ != nullptr && session.began < current_->began) {
          std::visit([&](auto& machine) { machine.supersede(current_->began); }, session.machine);
        }
      }
      break;
    case IkeSight::child_refused:
      child_refused_ = true;
      break;
    case IkeSight::ike_established:
      for (auto& session : sessions_) {
        if (&session != current_ && current_ != nullptr && session.began < current_->began) {
          std::visit([&](auto& machine) { machine.supersede(current_->began); }, session.machine);
        }
      }
      [[fallthrough]];
    case IkeSight::child_established:
    case IkeSight::child_rekeyed:
      child_refused_ = false;
      break;
    case IkeSight::request_answered:
      abandons_ = false;
      if (current_ != nullptr) current_->answered = o.at;
      break;
    default:
      break;
  }
  if (o.version == 0) o.version = view_.version;
  owner_.sink_.on_ike(view_.key, o);
}

void IkeTracker::Peer::advance(TimePoint now) {
  for (auto& session : sessions_) {
    if (session.spent) continue;
    current_ = &session;
    std::visit([&](auto& machine) { machine.advance(now, *this); }, session.machine);
    current_ = nullptr;
  }
  conclude();
}

void IkeTracker::Peer::finish(TimePoint last) {
  for (auto& session : sessions_) {
    current_ = &session;
    std::visit([&](auto& machine) { machine.finish(last, *this); }, session.machine);
    current_ = nullptr;
  }
  conclude();
}

// After each packet and whenever time passed: the state that all SAs together make, and when to look again.
bool IkeTracker::Peer::is_spent(const Session& s) const {
  return (s.phase() == SessionPhase::ended || s.phase() == SessionPhase::failed) && s.due() == TimePoint::max();
}

void IkeTracker::Peer::touch(Session& s) {
  if (s.spent) ++unspent_;
  s.spent = false;
}

void IkeTracker::Peer::conclude() {
  const PeerState before = view_.state;
  due_ = TimePoint::max();
  bool established = rekeyed_unseen_;
  bool with_child = rekeyed_unseen_;
  bool negotiating = false;
  bool succeeding = false;
  bool any_end = unspent_ < sessions_.size();
  // From the newest on, until no more is left that is not spent: mostly one look, where the others are far from the
  // cache.
  std::size_t left = unspent_;
  for (auto it = sessions_.rbegin(); left > 0 && it != sessions_.rend(); ++it) {
    Session& s = *it;
    if (s.spent) continue;
    --left;
    due_ = std::min(due_, s.due());
    s.spent = is_spent(s);
    if (s.spent) --unspent_;
    switch (s.phase()) {
      case SessionPhase::established:
        established = true;
        with_child = with_child || s.children() > 0 || s.visit([](const auto& m) { return m.joined_midway(); });
        break;
      case SessionPhase::init:
      case SessionPhase::authenticating:
        negotiating = true;
        succeeding = succeeding || s.visit([](const auto& m) { return m.seems_to_stand(); });
        break;
      case SessionPhase::failed:
      case SessionPhase::ended:
        any_end = true;
        break;
    }
  }
  if (established && with_child) {
    view_.state = abandons_ ? PeerState::negotiating : PeerState::up;
  } else if (established) {
    view_.state = child_refused_ || !negotiating ? PeerState::down : PeerState::negotiating;
  } else if (negotiating) {
    // A reauthentication deletes the SA before as soon as its successor stands, which is not certain yet.
    if (before != PeerState::up || !succeeding) view_.state = PeerState::negotiating;
  } else if (any_end) {
    view_.state = PeerState::down;
  }
  if (view_.state != before) owner_.sink_.on_state(view_.key);
}

}  // namespace tunnelwatch::passive
