#pragma once

#include "config/ip_address.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/ike_v1_session.h"
#include "probes/passive/ike_v2_session.h"
#include "probes/passive/nat_detection.h"
#include "probes/passive/offers.h"
#include "probes/wire/datagram.h"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace tunnelwatch::passive {

struct PeerKey {
  IpAddress local;
  IpAddress remote;
  auto operator<=>(const PeerKey&) const = default;
};

enum class PeerState : std::uint8_t { unknown, negotiating, up, down };

// All that is known of the IKE between this gateway and one peer. Made by the tracker, read by the agent.
struct IkePeerView {
  PeerKey key;
  bool local_certain = false;  // which end is ours is known, not guessed
  std::uint8_t version = 0;
  PeerState state = PeerState::unknown;
  std::optional<bool> nat_local;
  std::optional<bool> nat_remote;
  bool remote_forces_encapsulation = false;  // its source hash does not fit: NAT in front of it, or faked on purpose
  bool esp_in_udp = false;
  bool one_sided = false;                   // one end is never heard, though the other goes on as if it was answered
  std::array<std::uint64_t, 2> messages{};  // by side that sent
  Offers offers;
};

struct IkeTrackerLimits {
  std::size_t peers = 512;  // pinned ones not counted
  std::size_t sessions_per_peer = 32;
  // A file may hold one direction only (a tap, a mirror port): then silence and ESP one way say nothing.
  bool may_be_one_sided = false;
};

// Every datagram counts as one of the first four.
struct IkeTrackerCounters {
  std::uint64_t messages = 0;
  std::uint64_t duplicates = 0;  // the same bytes twice within milliseconds: taps, bridges
  std::uint64_t own_probes = 0;  // and scanners': first messages that no tunnel begins with
  std::uint64_t not_ike = 0;     // something else on the ports of IKE
  std::uint64_t malformed = 0;   // of the messages
  std::uint64_t evicted_peers = 0;
  std::uint64_t evicted_sessions = 0;
};

class IkePeerSink {
 public:
  virtual ~IkePeerSink() = default;
  virtual void on_ike(const PeerKey& peer, const IkeObservation& observation) = 0;
  // The peer's state is another one than before; an observation need not have come with it.
  virtual void on_state(const PeerKey& peer) = 0;
  // The guess which end is ours was wrong, or the peer was evicted: what was told under this key no longer holds.
  virtual void on_forgotten(const PeerKey& peer) = 0;
};

// Follows the IKE of all peers, both versions, from one stream of datagrams. Pure: packets and time in, observations
// out. Memory is bounded by the limits; strangers (peers that only one side of was ever heard) go first.
class IkeTracker {
 public:
  IkeTracker(IkeTrackerLimits limits, IkePeerSink& sink);
  ~IkeTracker();
  IkeTracker(const IkeTracker&) = delete;
  IkeTracker& operator=(const IkeTracker&) = delete;

  // Addresses of this machine, so that nothing about direction is guessed.
  void set_local_addresses(std::vector<IpAddress> addresses);
  // A peer of the configuration: never evicted.
  void pin(const IpAddress& remote);
  void unpin_all();
  // Messages with an SPI for which this says yes are our own probes.
  void set_own_spi(std::function<bool(std::uint64_t)> is_own) { own_spi_ = std::move(is_own); }

  // `datagram.kind` is ike.
  void on_ike(const wire::Datagram& datagram, TimePoint at, bool reassembled);
  // ESP went from source to destination.
  void on_esp(const IpAddress& source, const IpAddress& destination, bool in_udp, TimePoint at);
  void advance(TimePoint now);
  // No more packets: what waits for a contradiction stands.
  void finish(TimePoint last);

  const IkePeerView* find(const PeerKey& key) const;
  // Which end is ours, of two addresses seen together; nothing where no IKE between them was seen.
  std::optional<PeerKey> key_of(const IpAddress& a, const IpAddress& b) const;
  // Of two addresses without IKE between them: whether the source is this end. What is known of addresses decides; else
  // the smaller one counts as ours, so that both directions get the same answer.
  bool is_sent_by_us(const IpAddress& source, const IpAddress& destination) const;
  void for_each(const std::function<void(const IkePeerView&)>& visit) const;
  const IkeTrackerCounters& counters() const { return counters_; }

 private:
  class Peer;
  struct Pair {
    IpAddress low;
    IpAddress high;
    bool operator==(const Pair&) const = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& p) const { return p.low.hash() * 31 + p.high.hash(); }
  };
  using PeerList = std::list<Peer>;
  // Who goes first when room is needed: strangers, of whom one side only was heard; never those of the configuration.
  enum class Standing : std::uint8_t { stranger, heard, pinned };
  static constexpr std::size_t kStandings = 3;

  // A peer that time alone may make say something, and when. Looked at every tick, where the peers are far from the
  // cache.
  struct Wait {
    TimePoint due;
    Peer* peer = nullptr;
  };
  static constexpr std::size_t kNoWait = ~std::size_t{0};

  static Pair pair_of(const IpAddress& a, const IpAddress& b);
  static Standing standing_of(const Peer& peer);
  PeerList::iterator peer_for(const wire::Datagram& datagram, TimePoint at);
  std::optional<PeerList::iterator> peer_of_session(const wire::Datagram& datagram, TimePoint at);
  PeerKey guess_key(const wire::Datagram& datagram, bool& certain) const;
  PeerList& of(Standing standing) { return peers_[static_cast<std::size_t>(standing)]; }
  void place(PeerList::iterator peer);
  void place_all();
  PeerList::iterator longest_silent();
  void make_room();
  void erase(PeerList::iterator peer);
  void note_wait(Peer& peer);
  void end_wait(Peer& peer);

  IkeTrackerLimits limits_;
  IkePeerSink& sink_;
  std::vector<IpAddress> local_addresses_;
  std::unordered_set<IpAddress, IpAddressHash> pinned_;
  std::function<bool(std::uint64_t)> own_spi_;
  std::array<PeerList, kStandings> peers_;  // by standing; the last of each goes first, but for a second chance
  const Peer* latest_ = nullptr;            // whose packet came last
  std::vector<Wait> waiting_;
  boost::unordered_flat_map<Pair, PeerList::iterator, PairHash> by_pair_;
  TimePoint searches_since_{};
  unsigned searches_ = 0;
  IkeTrackerCounters counters_;
};

}  // namespace tunnelwatch::passive
