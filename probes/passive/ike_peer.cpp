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

// The registries of both versions: RFC 2408 and 2409, IKEv2's from IKE_SA_INIT to IKE_FOLLOWUP_KE (RFC 9370). What
// stacks have for private use among themselves (AuthIP, for one) is theirs to know.
bool is_known_exchange(const wire::IkeHeader& h) {
  constexpr std::uint8_t kPrivateUse = 240;
  if (h.exchange >= kPrivateUse) return true;
  if (h.major() == 1) return (h.exchange >= 1 && h.exchange <= 6) || (h.exchange >= 32 && h.exchange <= 33);
  return h.exchange >= wire::ike_sa_init && h.exchange <= 44;
}

// Payload types that RFC 7296, 7383 and the registry name; others are skipped unless they are critical.
bool is_known_payload_v2(std::uint8_t type) { return type >= 33 && type <= 54; }

// A first message that no tunnel begins with. Neither it nor its answer says anything about a tunnel.
// Our own reachability probe: a version that does not exist, or a cipher that nobody has.
bool is_own_probe(const wire::IkeHeader& h, const wire::Datagram& d) {
  if (h.major() == 3) return h.length == wire::kIkeHeaderSize;
  const auto message = wire::parse_ike(d.payload, d.cut);
  if (!message) return false;
  if (const auto* sa = message->find(wire::v1_sa); sa != nullptr && h.major() == 1) {
    const auto suites = wire::parse_sa_v1(sa->body);
    return suites && suites->size() == 1 && suites->front().encryption == wire::kNobodysCipher;
  }
  const auto* sa = h.major() == 2 ? message->find(wire::v2_sa) : nullptr;
  if (sa == nullptr) return false;
  const auto proposals = wire::parse_sa_v2(sa->body);
  return proposals && proposals->size() == 1 &&
         std::any_of(proposals->front().transforms.begin(), proposals->front().transforms.end(),
                     [](const wire::Transform& t) {
                       return t.type == wire::transform_encryption && t.id == wire::kNobodysCipher;
                     });
}

// A scanner's: to UDP 500 from a port of its own, without the vendor IDs or the NAT detection that stacks announce.
bool is_scan(const wire::IkeHeader& h, const wire::Datagram& d) {
  const auto message = d.destination_port == 500 ? wire::parse_ike(d.payload, d.cut)
                                                 : wire::Parsed<wire::IkeMessage>(wire::ParseError::unsupported);
  if (!message || message->cut) return false;
  if (h.major() == 1) return message->find(wire::v1_sa) != nullptr && message->find(wire::v1_vendor) == nullptr;
  if (h.exchange != wire::ike_sa_init || message->find(wire::v2_sa) == nullptr) return false;
  return std::none_of(message->payloads.begin(), message->payloads.end(), [](const wire::IkePayload& p) {
    constexpr std::uint16_t kNatDetectionSource = 16388;
    const auto notify = p.type == wire::v2_notify ? wire::parse_notify_v2(p.body)
                                                  : wire::Parsed<wire::IkeNotify>(wire::ParseError::truncated);
    return p.type == wire::v2_vendor || (notify && notify->type == kNatDetectionSource);
  });
}

}  // namespace

bool IkeTracker::Peer::is_reachability_probe(const wire::Datagram& d) {
  const auto header = wire::parse_ike_header(d.payload);
  if (!header) return false;
  const auto probe = std::find(probe_spis_.begin(), probe_spis_.end(), header->spi_initiator);
  if (probe != probe_spis_.end()) {  // who goes on with it is no scanner
    const bool goes_on = header->major() == 1 ? header->is_encrypted_v1() && header->exchange != wire::v1_informational
                                              : header->exchange == wire::ike_auth;
    if (goes_on) probe_spis_.erase(probe);
    return !goes_on;
  }
  if (header->spi_responder != 0 || header->is_response() || d.source_port == 500 || d.source_port == 4500)
    return false;
  if (session_of(*header) != nullptr || !(is_own_probe(*header, d) || is_scan(*header, d))) return false;
  if (probe_spis_.size() == probe_spis_.capacity()) probe_spis_.erase(probe_spis_.begin());
  probe_spis_.push_back(header->spi_initiator);
  return true;
}

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
    machine.adopt(old->suite(), at);
    redundant = redundant || (begins_with_its_end && old->rekeys_cross());
  }
  if (successor && rekeyed_unseen_) machine.adopt(rekeyed_suite_, at);
  if (successor && !redundant) rekeyed_unseen_ = false;
  ++unspent_;
  sessions_.push_back({.redundant = redundant, .began = at, .machine = std::move(machine)});
  return sessions_.back();
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
  sessions_.erase(victim);
}

// What an end offered when it asked says all that it can; what it chose when it answered says one thing, of that
// negotiation only.
void IkeTracker::Peer::learn_offers(const wire::IkeMessage& message, Side from) {
  const auto& h = message.header;
  const bool v2 = h.major() == 2;
  const auto* sa =
      v2 ? (h.exchange == wire::ike_sa_init ? message.find(wire::v2_sa) : nullptr) : message.find(wire::v1_sa);
  if (sa == nullptr) return;
  const bool answer = v2 ? h.is_response() : h.spi_responder != 0;
  auto& mine = from == Side::local ? view_.offers.local : view_.offers.remote;
  auto& theirs = from == Side::local ? view_.offers.remote : view_.offers.local;
  if (answer && !mine.empty() && !offer_is_answer_[index(from)]) return;
  std::vector<Offer> offers;
  if (v2) {
    if (const auto proposals = wire::parse_sa_v2(sa->body)) offers = offers_of(*proposals);
  } else if (const auto transforms = wire::parse_sa_v1(sa->body)) {
    offers = offers_of(*transforms);
  }
  if (offers.empty()) return;
  if (!answer && h.spi_initiator != offer_spi_ && offer_is_answer_[index(other(from))] && !theirs.empty()) {
    theirs.clear();
    ++view_.offers.revision;
  }
  if (!answer) offer_spi_ = h.spi_initiator;
  offer_is_answer_[index(from)] = answer;
  if (mine == offers) return;
  mine = std::move(offers);
  ++view_.offers.revision;
}

void IkeTracker::Peer::learn_nat(const wire::Datagram& d, const wire::IkeMessage& message, Side from, TimePoint at) {
  const auto& h = message.header;
  NatWord& theirs = nat_words_[index(other(from))];
  const bool goes_on =
      theirs.spi_initiator == h.spi_initiator && (theirs.spi_responder == 0 || theirs.spi_responder == h.spi_responder);
  theirs.confirmed = theirs.confirmed || goes_on;
  if (theirs.confirmed) judge_nat(other(from), at);
  const auto hashes = nat_hashes(message, d.source, d.source_port, d.destination, d.destination_port);
  if (!hashes.source_differs && !hashes.destination_differs) return;
  nat_words_[index(from)] = {.source_differs = hashes.source_differs,
                             .destination_differs = hashes.destination_differs,
                             .port_changed = d.source_port != 500 && d.source_port != 4500,
                             .spi_initiator = h.spi_initiator,
                             .spi_responder = h.spi_responder};
}

// A hash of the peer's about our address tells of a NAT in front of us. Its hash about its own address may be faked on
// purpose, to have ESP in UDP, unless a NAT changed its port too. Where both hashes of a message differ, either both
// ends are behind NAT, and then IKE goes on on 4500, or the capture's addresses are not those that were sent.
void IkeTracker::Peer::judge_nat(Side from, TimePoint at) {
  const NatWord& word = nat_words_[index(from)];
  const bool both = word.source_differs.value_or(false) && word.destination_differs.value_or(false);
  if (both && !floated_) return;
  const auto before_local = view_.nat_local;
  const auto before_remote = view_.nat_remote;
  if (from == Side::remote) {
    if (word.destination_differs) view_.nat_local = *word.destination_differs;
    if (word.source_differs) {
      view_.remote_forces_encapsulation = *word.source_differs && !word.port_changed;
      if (!*word.source_differs) view_.nat_remote = false;
      if (*word.source_differs && word.port_changed) view_.nat_remote = true;
    }
  } else if (word.destination_differs && *word.destination_differs && !word.source_differs.value_or(false)) {
    view_.nat_remote = true;  // we address it by another address than the one seen here: translated on this side
  }
  if (view_.nat_local == before_local && view_.nat_remote == before_remote) return;
  const bool any = view_.nat_local.value_or(false) || view_.nat_remote.value_or(false);
  if (!any && !before_local.value_or(false) && !before_remote.value_or(false)) return;
  IkeObservation o;
  o.sight = any ? IkeSight::nat_detected : IkeSight::nat_gone;
  o.by = from;
  o.version = view_.version;
  o.local_nat = view_.nat_local.value_or(false);
  o.remote_nat = view_.nat_remote.value_or(false);
  o.at = o.since = at;
  on_observation(o);
}

// The move from 500 to 4500 is part of the negotiation; any other change of the peer's port is its NAT's.
void IkeTracker::Peer::learn_port(Session& session, const wire::Datagram& d, Side from, TimePoint at) {
  const std::uint16_t port = from == Side::remote ? d.source_port : d.destination_port;
  const std::uint16_t before = std::exchange(session.remote_port, port);
  if (before == 0 || before == port) return;
  const auto is_own = [](std::uint16_t p) { return p == 500 || p == 4500; };
  if (before == 500 && port == 4500) {
    on_observation(observe(IkeSight::port_floated, from, d, at));
  } else if (from == Side::remote && session.phase() == SessionPhase::established &&
             !(is_own(before) && is_own(port))) {
    auto o = observe(IkeSight::port_changed, from, d, at);
    o.port = port;
    on_observation(o);
  }
}

void IkeTracker::Peer::learn_address(const Session& session, const wire::Datagram& d, Side from, TimePoint at) {
  const bool own_pair = pair_of(d.source, d.destination) == pair_of(view_.key.local, view_.key.remote);
  const IpAddress remote = from == Side::remote ? d.source : d.destination;
  const IpAddress local = from == Side::remote ? d.destination : d.source;
  if (own_pair || (remote == last_remote_ && local == last_local_)) return;
  last_remote_ = remote;
  last_local_ = local;
  const bool answers = from == Side::remote && session.initiator() == Side::local &&
                       (session.phase() == SessionPhase::init || session.phase() == SessionPhase::authenticating);
  auto o = observe(answers ? IkeSight::answered_elsewhere : IkeSight::address_changed, from, d, at);
  o.address = remote == view_.key.remote ? local : remote;
  o.certainty = Certainty::likely;
  on_observation(o);
}

// An end that goes on as if it was answered, while the other one is never heard: the file lacks a direction. Live both
// directions pass the interface that is captured on.
void IkeTracker::Peer::learn_sides(const wire::IkeHeader& h, Side from) {
  const std::uint64_t heard_from_other = view_.messages[index(other(from))];
  if (heard_from_other > 0) {
    view_.one_sided = false;
  } else if (owner_.limits_.may_be_one_sided && h.spi_responder != 0) {
    view_.one_sided = true;
  }
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

// INVALID_SPI, INVALID_IKE_SPI and INVALID_COOKIE come outside any SA of the sender's.
void IkeTracker::Peer::tell_clear_notifies(const wire::IkeMessage& message, const wire::Datagram& d, Side from,
                                           TimePoint at) {
  const bool v1 = message.header.major() == 1;
  for (const auto& payload : message.payloads) {
    if (payload.type != (v1 ? std::uint8_t{wire::v1_notify} : std::uint8_t{wire::v2_notify})) continue;
    const auto notify = v1 ? wire::parse_notify_v1(payload.body) : wire::parse_notify_v2(payload.body);
    if (!notify || (notify->type != 4 && notify->type != 11)) continue;
    auto o = observe(IkeSight::clear_notify, from, d, at);
    o.notify = notify->type;
    o.exchange = message.header.exchange;
    o.certainty = Certainty::possible;
    on_observation(o);
  }
}

void IkeTracker::Peer::tell_malformed(wire::ParseError error, const wire::Datagram& d, Side from, TimePoint at) {
  ++owner_.counters_.malformed;
  auto o = observe(IkeSight::malformed, from, d, at);
  o.certainty = Certainty::likely;
  o.fault = error == wire::ParseError::bad_length ? IkeFault::length : IkeFault::message;
  if (const auto header = wire::parse_ike_header(d.payload); header && error == wire::ParseError::bad_version) {
    o.sight = IkeSight::version_odd;
    o.version = header->major();
  }
  on_observation(o);
}

void IkeTracker::Peer::tell_oddities(const wire::IkeMessage& message, const wire::Datagram& d, Side from,
                                     TimePoint at) {
  auto o = observe(IkeSight::malformed, from, d, at);
  o.exchange = message.header.exchange;
  o.certainty = Certainty::likely;
  if (message.payload_error || message.trailing) {
    ++owner_.counters_.malformed;
    o.fault = message.payload_error ? IkeFault::payload : IkeFault::length;
    on_observation(o);
  }
  o.fault = IkeFault::none;
  if (!is_known_exchange(message.header)) {
    o.sight = IkeSight::unknown_exchange;
    on_observation(o);
  }
  if (message.header.major() != 2) return;
  for (const auto& p : message.payloads) {
    if (!is_known_payload_v2(p.type)) {
      o.sight = p.critical ? IkeSight::critical_payload : IkeSight::uncritical_payload;
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
        rekeyed_suite_ = std::get<IkeV2Session>(current_->machine).suite();
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
    view_.state = PeerState::negotiating;
  } else if (any_end) {
    view_.state = PeerState::down;
  }
  if (view_.state != before) owner_.sink_.on_state(view_.key);
}

}  // namespace tunnelwatch::passive
