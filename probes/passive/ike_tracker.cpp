#include "probes/passive/ike_tracker.h"

#include "probes/passive/ike_peer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tunnelwatch::passive {

namespace {

bool contains(const std::vector<IpAddress>& list, const IpAddress& address) {
  return std::find(list.begin(), list.end(), address) != list.end();
}

// By words: this runs over all bytes of every message. Whoever makes two messages that collide hides his own second
// one.
std::uint64_t fingerprint_of(wire::Bytes bytes) {
  std::uint64_t h = bytes.size();
  const auto mix = [&h](std::uint64_t word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15U;
    h ^= h >> 29;
  };
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  return h;
}

// Anything may be sent to UDP 500 and 4500. IKE has a header with an initiator's SPI, and a version that exists or a
// length that fits; INVALID_SPI alone comes outside any SA (RFC 7296 section 1.5).
bool is_ike(const wire::Datagram& d) {
  const auto header = wire::parse_ike_header(d.payload);
  if (!header) {  // a length that cannot be, behind what may be a header all the same
    wire::ByteReader r(d.payload);
    const bool has_spi = r.u64() != 0;
    r.skip(9);
    const unsigned major = r.u8() >> 4;
    r.skip(10);
    return !r.failed() && has_spi && (major == 1 || major == 2);
  }
  const bool known = header->major() == 1 || header->major() == 2;
  if (header->spi_initiator == 0)
    return header->major() == 2 && header->exchange == wire::informational && header->length == d.payload.size();
  return known || (header->major() > 2 && header->length == d.payload.size());
}

// What a host puts into a packet that it sends itself. One that was forwarded has less.
bool is_initial_ttl(std::uint8_t ttl) { return ttl == 64 || ttl == 128 || ttl == 255; }

}  // namespace

IkeTracker::IkeTracker(IkeTrackerLimits limits, IkePeerSink& sink) : limits_(limits), sink_(sink) {}
IkeTracker::~IkeTracker() = default;

IkeTracker::Pair IkeTracker::pair_of(const IpAddress& a, const IpAddress& b) { return a < b ? Pair{a, b} : Pair{b, a}; }

void IkeTracker::set_local_addresses(std::vector<IpAddress> addresses) { local_addresses_ = std::move(addresses); }

void IkeTracker::pin(const IpAddress& remote) {
  pinned_.insert(remote);
  for (auto& list : peers_) {
    for (Peer& peer : list) peer.pinned = peer.pinned || peer.names(remote);
  }
  place_all();
}

void IkeTracker::unpin_all() {
  pinned_.clear();
  for (Peer& peer : of(Standing::pinned)) peer.pinned = false;
  place_all();
}

IkeTracker::Standing IkeTracker::standing_of(const Peer& peer) {
  return peer.pinned ? Standing::pinned : peer.both_heard() ? Standing::heard : Standing::stranger;
}

// Puts a peer first in the list where it belongs, if it is in another one.
void IkeTracker::place(PeerList::iterator it) {
  Peer& peer = *it;
  const Standing now = standing_of(peer);
  if (now == peer.standing) return;
  of(now).splice(of(now).begin(), of(peer.standing), it);
  peer.standing = now;
}

void IkeTracker::place_all() {
  PeerList all;  // the longest silent first, as far as their standing tells
  for (auto& list : peers_) {
    list.reverse();
    all.splice(all.end(), list);
  }
  while (!all.empty()) {
    Peer& peer = all.front();
    peer.standing = standing_of(peer);
    of(peer.standing).splice(of(peer.standing).begin(), all, all.begin());
  }
}

// Which end is ours: the machine's own addresses and the configuration know; the link layer may tell; a TTL that no
// router has counted down speaks for the sender; else whoever is heard first, who in a gateway's capture is the
// gateway.
PeerKey IkeTracker::guess_key(const wire::Datagram& d, bool& certain) const {
  bool source_is_local = true;
  certain = true;
  if (contains(local_addresses_, d.source) || pinned_.contains(d.destination)) {
    source_is_local = true;
  } else if (contains(local_addresses_, d.destination) || pinned_.contains(d.source)) {
    source_is_local = false;
  } else {
    certain = false;
    source_is_local = d.link_direction != wire::LinkDirection::in;
  }
  return source_is_local ? PeerKey{d.source, d.destination} : PeerKey{d.destination, d.source};
}

// An SA of a known peer may go on, or be answered, between other addresses. The search is for what names an SA only,
// and rare: a flood of forged messages must not make it dear.
std::optional<IkeTracker::PeerList::iterator> IkeTracker::peer_of_session(const wire::Datagram& d, TimePoint at) {
  constexpr unsigned kSearchesASecond = 100;
  const auto header = wire::parse_ike_header(d.payload);
  if (!header || header->spi_initiator == 0 || (header->spi_responder == 0 && !header->is_response()))
    return std::nullopt;
  if (at - searches_since_ >= std::chrono::seconds(1) || at < searches_since_) {
    searches_since_ = at;
    searches_ = 0;
  }
  if (++searches_ > kSearchesASecond) return std::nullopt;
  for (PeerList& list : peers_) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const Peer& peer) {
      const auto& key = peer.view().key;
      const bool one_end_stays =
          d.source == key.local || d.source == key.remote || d.destination == key.local || d.destination == key.remote;
      return one_end_stays && peer.aliases.size() < Peer::kMostAliases && peer.has_session(*header);
    });
    if (found != list.end()) return found;
  }
  return std::nullopt;
}

IkeTracker::PeerList::iterator IkeTracker::peer_for(const wire::Datagram& d, TimePoint at) {
  const Pair pair = pair_of(d.source, d.destination);
  // Who is heard again gets a mark and keeps his place: his neighbours in the list are far from the cache.
  if (const auto found = by_pair_.find(pair); found != by_pair_.end()) {
    found->second->heard_lately = true;
    return found->second;
  }
  if (const auto known = peer_of_session(d, at)) {
    (*known)->heard_lately = true;
    (*known)->aliases.push_back(pair);
    by_pair_.emplace(pair, *known);
    return *known;
  }
  make_room();
  bool certain = false;
  const PeerKey key = guess_key(d, certain);
  PeerList& strangers = of(Standing::stranger);
  strangers.emplace_front(*this, key, certain);
  strangers.front().pinned = pinned_.contains(key.remote);
  by_pair_.emplace(pair, strangers.begin());
  return strangers.begin();
}

void IkeTracker::make_room() {
  if (of(Standing::stranger).size() + of(Standing::heard).size() < std::max<std::size_t>(limits_.peers, 1)) return;
  const auto victim = longest_silent();
  const PeerKey key = victim->view().key;
  erase(victim);
  ++counters_.evicted_peers;
  sink_.on_forgotten(key);
}

// From the end on; who has a mark loses it and goes to the front instead: the "clock" of page replacement, which is
// close to the order in which they were last heard.
IkeTracker::PeerList::iterator IkeTracker::longest_silent() {
  PeerList& from = of(of(Standing::stranger).empty() ? Standing::heard : Standing::stranger);
  while (std::exchange(from.back().heard_lately, false)) from.splice(from.begin(), from, std::prev(from.end()));
  return std::prev(from.end());
}

void IkeTracker::erase(PeerList::iterator peer) {
  const PeerKey& key = peer->view().key;
  by_pair_.erase(pair_of(key.local, key.remote));
  for (const Pair& alias : peer->aliases) by_pair_.erase(alias);
  end_wait(*peer);
  if (latest_ == &*peer) latest_ = nullptr;
  of(peer->standing).erase(peer);
}

void IkeTracker::on_ike(const wire::Datagram& d, TimePoint at, bool reassembled) {
  if (!is_ike(d)) {
    ++counters_.not_ike;
    return;
  }
  wire::ByteReader spis(d.payload);
  const std::uint64_t initiator = spis.u64();
  if (own_spi_ && !spis.failed() && own_spi_(initiator)) {
    ++counters_.own_probes;
    return;
  }
  const auto found = peer_for(d, at);
  Peer& peer = *found;
  latest_ = &peer;
  peer.expect_message();
  const std::uint64_t fingerprint = fingerprint_of(d.payload);
  peer.expect_session();
  if (peer.has_duplicate(fingerprint, d, at)) {
    ++counters_.duplicates;
    if (peer.learn_forwarding()) peer.replay();
  } else {
    if (peer.learn_direction(d, at)) peer.replay();
    peer.on_datagram(d, at, reassembled);
    note_wait(peer);
  }
  place(found);
}

void IkeTracker::on_esp(const IpAddress& source, const IpAddress& destination, bool in_udp, TimePoint at) {
  const auto found = by_pair_.find(pair_of(source, destination));
  if (found == by_pair_.end()) return;
  Peer& peer = *found->second;
  peer.on_esp(source == peer.view().key.local, in_udp, at);
  note_wait(peer);
}

void IkeTracker::note_wait(Peer& peer) {
  if (peer.wait != kNoWait) {
    waiting_[peer.wait].due = peer.due();
  } else if (peer.due() != TimePoint::max()) {
    peer.wait = waiting_.size();
    waiting_.push_back({peer.due(), &peer});
  }
}

void IkeTracker::end_wait(Peer& peer) {
  if (peer.wait == kNoWait) return;
  waiting_.back().peer->wait = peer.wait;
  waiting_[peer.wait] = waiting_.back();
  waiting_.pop_back();
  peer.wait = kNoWait;
}

void IkeTracker::advance(TimePoint now) {
  for (std::size_t i = 0; i < waiting_.size();) {
    Peer& peer = *waiting_[i].peer;
    if (now >= waiting_[i].due) {
      peer.advance(now);
      note_wait(peer);
    }
    if (waiting_[i].due == TimePoint::max()) {
      end_wait(peer);  // another one has its place now
    } else {
      ++i;
    }
  }
}

void IkeTracker::finish(TimePoint last) {
  for (auto& list : peers_) {
    for (Peer& peer : list) peer.finish(last);
  }
}

const IkePeerView* IkeTracker::find(const PeerKey& key) const {
  if (latest_ != nullptr && latest_->view().key == key) return &latest_->view();
  const auto found = by_pair_.find(pair_of(key.local, key.remote));
  return found == by_pair_.end() ? nullptr : &found->second->view();
}

std::optional<PeerKey> IkeTracker::key_of(const IpAddress& a, const IpAddress& b) const {
  const auto found = by_pair_.find(pair_of(a, b));
  if (found == by_pair_.end()) return std::nullopt;
  return found->second->view().key;
}

bool IkeTracker::is_sent_by_us(const IpAddress& source, const IpAddress& destination) const {
  if (contains(local_addresses_, source) || pinned_.contains(destination)) return true;
  if (contains(local_addresses_, destination) || pinned_.contains(source)) return false;
  return source < destination;
}

void IkeTracker::for_each(const std::function<void(const IkePeerView&)>& visit) const {
  for (const auto& list : peers_) {
    for (const Peer& peer : list) visit(peer.view());
  }
}

bool IkeTracker::Peer::has_duplicate(std::uint64_t fingerprint, const wire::Datagram& d, TimePoint at) {
  using namespace std::chrono_literals;
  const bool ascending = d.source < d.destination;
  for (std::size_t i = 0; i < kSeen; ++i) {
    if (fingerprints_[i] != fingerprint) continue;
    const Seen& s = seen_[i];
    if (s.ascending != ascending || at < s.at || at - s.at >= 50ms) continue;
    seen_both_ways_ = s.link != d.link_direction && s.link != wire::LinkDirection::unknown;
    return true;
  }
  fingerprints_[next_seen_] = fingerprint;
  seen_[next_seen_] = {ascending, d.link_direction, at};
  next_seen_ = (next_seen_ + 1) % kSeen;
  return false;
}

bool IkeTracker::Peer::learn_forwarding() {
  if (forwarded_ || !seen_both_ways_ || view_.local_certain || !first_ttl_) return false;
  forwarded_ = true;
  return view_.key.local != first_source_;
}

// By its TTL, once both ends are heard: where exactly one is as a host sends it, that host is the one captured at. The
// link layer's word, where there is one, is better.
bool IkeTracker::Peer::learn_direction(const wire::Datagram& d, TimePoint at) {
  constexpr std::size_t kKeptMessages = 8;
  constexpr std::size_t kKeptBytes = 4096;
  if (view_.local_certain || !names(d.source) || !names(d.destination)) return false;
  if (!first_ttl_) {
    first_ttl_ = d.ttl;
    first_source_ = d.source;
  }
  if (d.source == first_source_) {
    const std::size_t kept = std::min(d.payload.size(), kKeptBytes);
    undirected_.push_back({{d.payload.begin(), d.payload.begin() + static_cast<std::ptrdiff_t>(kept)}, d, at});
    if (undirected_.size() > kKeptMessages) undirected_.erase(undirected_.begin());
    return false;
  }
  view_.local_certain = true;
  const bool by_link = d.link_direction != wire::LinkDirection::unknown && !forwarded_;
  const bool tells = !by_link && is_initial_ttl(*first_ttl_) != is_initial_ttl(d.ttl);
  const IpAddress& host = is_initial_ttl(*first_ttl_) ? first_source_ : d.source;
  const bool wrong = tells && host != view_.key.local;
  if (!wrong) undirected_.clear();
  return wrong;
}

void IkeTracker::Peer::replay() {
  owner_.sink_.on_forgotten(view_.key);
  const PeerKey key{view_.key.remote, view_.key.local};
  view_ = IkePeerView{};
  view_.key = key;
  view_.local_certain = !forwarded_;
  sessions_.clear();
  unspent_ = 0;
  nat_words_ = {};
  offer_is_answer_ = {};
  const auto kept = std::exchange(undirected_, {});
  const IkeTrackerCounters counted = owner_.counters_;  // they are counted already
  for (const Kept& k : kept) {
    wire::Datagram d = k.datagram;
    d.payload = k.bytes;
    d.cut = d.cut || k.bytes.size() < k.datagram.payload.size();
    on_datagram(d, k.at, false);
  }
  owner_.counters_ = counted;
  owner_.note_wait(*this);
}

}  // namespace tunnelwatch::passive
