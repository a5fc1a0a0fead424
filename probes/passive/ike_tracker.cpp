#include "probes/passive/ike_tracker.h"

#include "probes/passive/ike_peer.h"

#include <algorithm>
#include <cstring>

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

// What a host puts into a packet that it sends itself. One that was forwarded has less.
bool is_initial_ttl(std::uint8_t ttl) { return ttl == 64 || ttl == 128 || ttl == 255; }

}  // namespace

IkeTracker::IkeTracker(IkeTrackerLimits limits, IkePeerSink& sink) : limits_(limits), sink_(sink) {}
IkeTracker::~IkeTracker() = default;

IkeTracker::Pair IkeTracker::pair_of(const IpAddress& a, const IpAddress& b) { return a < b ? Pair{a, b} : Pair{b, a}; }

void IkeTracker::set_local_addresses(std::vector<IpAddress> addresses) { local_addresses_ = std::move(addresses); }

void IkeTracker::pin(const IpAddress& remote) {
  if (!contains(pinned_, remote)) pinned_.push_back(remote);
  for (auto& peer : peers_) peer->pinned = peer->pinned || peer->names(remote);
}

void IkeTracker::unpin_all() {
  pinned_.clear();
  for (auto& peer : peers_) peer->pinned = false;
}

// Which end is ours: the machine's own addresses and the configuration know; the link layer may tell; a TTL that no
// router has counted down speaks for the sender; else whoever is heard first, who in a gateway's capture is the
// gateway.
IkeTracker::Peer& IkeTracker::peer_for(const wire::Datagram& d, TimePoint) {
  const Pair pair = pair_of(d.source, d.destination);
  if (const auto found = by_pair_.find(pair); found != by_pair_.end()) {
    peers_.splice(peers_.begin(), peers_, found->second);
    return **found->second;
  }
  make_room();
  bool source_is_local = true;
  bool certain = true;
  if (contains(local_addresses_, d.source) || contains(pinned_, d.destination)) {
    source_is_local = true;
  } else if (contains(local_addresses_, d.destination) || contains(pinned_, d.source)) {
    source_is_local = false;
  } else if (d.link_direction != wire::LinkDirection::unknown) {
    source_is_local = d.link_direction == wire::LinkDirection::out;
  } else {
    certain = false;
  }
  const PeerKey key = source_is_local ? PeerKey{d.source, d.destination} : PeerKey{d.destination, d.source};
  peers_.push_front(std::make_unique<Peer>(*this, key, certain));
  peers_.front()->pinned = contains(pinned_, key.remote);
  by_pair_.emplace(pair, peers_.begin());
  return *peers_.front();
}

void IkeTracker::make_room() {
  if (peers_.size() < limits_.peers) return;
  auto victim = peers_.end();
  for (auto it = std::prev(peers_.end());; --it) {  // from the longest silent on
    if (!(*it)->pinned) {
      if (victim == peers_.end()) victim = it;
      if (!(*it)->both_heard()) {
        victim = it;
        break;
      }
    }
    if (it == peers_.begin()) break;
  }
  if (victim == peers_.end()) return;  // all are of the configuration, which is bounded
  const PeerKey key = (*victim)->view().key;
  by_pair_.erase(pair_of(key.local, key.remote));
  std::erase(waiting_, victim->get());
  peers_.erase(victim);
  ++counters_.evicted_peers;
  sink_.on_forgotten(key);
}

void IkeTracker::on_ike(const wire::Datagram& d, TimePoint at, bool reassembled) {
  wire::ByteReader spis(d.payload);
  const std::uint64_t initiator = spis.u64();
  if (own_spi_ && !spis.failed() && own_spi_(initiator)) {
    ++counters_.own_probes;
    return;
  }
  Peer& peer = peer_for(d, at);
  if (peer.has_duplicate(fingerprint_of(d.payload), d.source == peer.view().key.local, at)) {
    ++counters_.duplicates;
    return;
  }
  ++counters_.messages;
  peer.learn_direction(d);
  peer.on_datagram(d, at, reassembled);
  list_if_waiting(peer);
}

void IkeTracker::on_esp(const IpAddress& source, const IpAddress& destination, bool in_udp, TimePoint at) {
  const auto found = by_pair_.find(pair_of(source, destination));
  if (found == by_pair_.end()) return;
  Peer& peer = **found->second;
  peer.on_esp(source == peer.view().key.local, in_udp, at);
  list_if_waiting(peer);
}

void IkeTracker::list_if_waiting(Peer& peer) {
  if (peer.listed || peer.due() == TimePoint::max()) return;
  peer.listed = true;
  waiting_.push_back(&peer);
}

// Most peers wait for nothing most of the time: those are not even looked at.
void IkeTracker::advance(TimePoint now) {
  std::erase_if(waiting_, [&](Peer* peer) {
    if (now >= peer->due()) peer->advance(now);
    peer->listed = peer->due() != TimePoint::max();
    return !peer->listed;
  });
}

void IkeTracker::finish() {
  for (auto& peer : peers_) peer->advance(TimePoint::max());
}

const IkePeerView* IkeTracker::find(const PeerKey& key) const {
  if (!peers_.empty() && peers_.front()->view().key == key) return &peers_.front()->view();  // whose packet came last
  const auto found = by_pair_.find(pair_of(key.local, key.remote));
  return found == by_pair_.end() ? nullptr : &(*found->second)->view();
}

std::optional<PeerKey> IkeTracker::key_of(const IpAddress& a, const IpAddress& b) const {
  const auto found = by_pair_.find(pair_of(a, b));
  if (found == by_pair_.end()) return std::nullopt;
  return (*found->second)->view().key;
}

void IkeTracker::for_each(const std::function<void(const IkePeerView&)>& visit) const {
  for (const auto& peer : peers_) visit(peer->view());
}

bool IkeTracker::Peer::has_duplicate(std::uint64_t fingerprint, bool from_local, TimePoint at) {
  using namespace std::chrono_literals;
  for (const Seen& s : seen_) {
    if (s.fingerprint == fingerprint && s.from_local == from_local && at >= s.at && at - s.at < 50ms) return true;
  }
  seen_[next_seen_] = {fingerprint, from_local, at};
  next_seen_ = (next_seen_ + 1) % seen_.size();
  return false;
}

void IkeTracker::Peer::learn_direction(const wire::Datagram& d) {
  if (view_.local_certain) return;
  if (!first_ttl_) {
    first_ttl_ = d.ttl;
    first_source_ = d.source;
    return;
  }
  if (d.source == first_source_) return;
  // Both ends are heard: where exactly one TTL is as a host sends it, that host is the one captured at.
  view_.local_certain = true;
  if (is_initial_ttl(*first_ttl_) || !is_initial_ttl(d.ttl)) return;
  owner_.sink_.on_forgotten(view_.key);
  std::swap(view_.key.local, view_.key.remote);
  std::swap(view_.messages[0], view_.messages[1]);
  std::swap(view_.offers.local, view_.offers.remote);
  view_.nat_local.reset();
  view_.nat_remote.reset();
  // The few messages before are told again by what follows them; a request that waits starts anew.
  sessions_.clear();
}

}  // namespace tunnelwatch::passive
