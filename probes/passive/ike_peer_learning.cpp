#include "probes/passive/ike_peer.h"

#include <algorithm>
#include <utility>

// What the messages of a peer tell beside the negotiation: offers, NAT, ports, addresses, which ends are heard.
namespace tunnelwatch::passive {

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

}  // namespace tunnelwatch::passive
