#pragma once

#include "probes/passive/ike_tracker.h"
#include "probes/prefetch.h"

#include <array>
#include <list>

#include <boost/container/static_vector.hpp>

namespace tunnelwatch::passive {

// The tracker's own part for one peer: its IKE SAs, and what their observations mean together.
class IkeTracker::Peer final : public IkeObservationSink {
 public:
  Peer(IkeTracker& owner, PeerKey key, bool local_certain) : owner_(owner) {
    view_.key = key;
    view_.local_certain = local_certain;
  }

  // A message is about to come.
  void expect_message() const { prefetch(this, kHotBytes); }
  void expect_session() const {
    if (!sessions_.empty()) prefetch(&sessions_.back(), kHotBytes);
  }
  void on_datagram(const wire::Datagram& datagram, TimePoint at, bool reassembled);
  void on_esp(bool from_local, bool in_udp, TimePoint at);
  void advance(TimePoint now);
  void finish(TimePoint last);
  // When advance() may next have something to tell if no packet comes before.
  TimePoint due() const { return due_; }
  void on_observation(const IkeObservation& observation) override;

  const IkePeerView& view() const { return view_; }
  bool pinned = false;
  Standing standing = Standing::stranger;  // the list that it is in
  std::size_t wait = kNoWait;              // its place among those that the tracker advances
  bool heard_lately = false;               // again, since the tracker last passed it over
  // Both ends were heard, so this is no stranger's packet.
  bool both_heard() const { return view_.messages[0] > 0 && view_.messages[1] > 0; }
  bool names(const IpAddress& address) const { return view_.key.local == address || view_.key.remote == address; }
  // An SA of this peer has these SPIs: its messages may come between other addresses too (MOBIKE, several exits).
  bool has_session(const wire::IkeHeader& header) const;
  static constexpr std::size_t kMostAliases = 4;
  std::vector<Pair> aliases;  // further pairs of addresses that lead here
  bool has_duplicate(std::uint64_t fingerprint, const wire::Datagram& datagram, TimePoint at);
  // True where the ends were guessed wrong: they are exchanged, and replay() tells anew what came before.
  bool learn_direction(const wire::Datagram& datagram, TimePoint at);
  // The same packet came in and went out: this machine forwards it, and neither end is its own.
  bool learn_forwarding();
  void replay();

 private:
  struct Session {
    bool spent = false;      // over, and all of it is told: nothing comes of it before it is touched again
    bool redundant = false;  // the successor of a rekey that crossed another, which is deleted unused
    std::uint16_t remote_port = 0;
    TimePoint began;
    std::optional<TimePoint> answered{};  // when a request under it was last answered, whoever asked
    std::variant<IkeV1Session, IkeV2Session> machine;

    template <typename F>
    auto visit(F&& f) const {
      return std::visit(std::forward<F>(f), machine);
    }
    SessionPhase phase() const {
      return visit([](const auto& m) { return m.phase(); });
    }
    int children() const {
      return visit([](const auto& m) { return m.children(); });
    }
    TimePoint due() const {
      return visit([](const auto& m) { return m.due(); });
    }
    std::uint64_t spi_initiator() const {
      return visit([](const auto& m) { return m.spi_initiator(); });
    }
    std::uint64_t spi_responder() const {
      return visit([](const auto& m) { return m.spi_responder(); });
    }
    TimePoint last_seen() const {
      return visit([](const auto& m) { return m.last_seen(); });
    }
    bool leftover() const {
      return visit([](const auto& m) { return m.leftover(); });
    }
    Side initiator() const {
      return visit([](const auto& m) { return m.initiator(); });
    }
    std::uint8_t version() const { return std::holds_alternative<IkeV1Session>(machine) ? 1 : 2; }
    bool half_open() const {
      return visit([](const auto& m) { return m.half_open(); });
    }
  };
  struct Kept {  // a message of before it was known which end is ours
    std::vector<std::uint8_t> bytes;
    wire::Datagram datagram;
    TimePoint at;
  };
  struct Seen {
    bool ascending = false;  // the source is the smaller address
    wire::LinkDirection link = wire::LinkDirection::unknown;
    TimePoint at = TimePoint::max();  // never seen
  };

  // What the two NAT detection hashes of an end said last. They are believed once the other end goes on with the SPIs
  // that they were made of: a damaged message has others.
  struct NatWord {
    std::optional<bool> source_differs;
    std::optional<bool> destination_differs;
    bool port_changed = false;
    bool confirmed = false;
    std::uint64_t spi_initiator = 0;
    std::uint64_t spi_responder = 0;  // 0: of a first message
  };

  Session& session_for(const wire::IkeMessage& message, Side from, TimePoint at);
  Session* session_of(const wire::IkeHeader& header);
  void hand_over_children(const Session& from);
  void make_room();
  Side side_of(const wire::Datagram& datagram) const;
  IkeObservation observe(IkeSight sight, Side from, const wire::Datagram& datagram, TimePoint at) const;
  void learn_offers(const wire::IkeMessage& message, Side from);
  void learn_nat(const wire::Datagram& datagram, const wire::IkeMessage& message, Side from, TimePoint at);
  void judge_nat(Side from, TimePoint at);
  void learn_port(Session& session, const wire::Datagram& datagram, Side from, TimePoint at);
  void learn_address(const Session& session, const wire::Datagram& datagram, Side from, TimePoint at);
  void note_abandoned(Side initiator, TimePoint at);
  bool is_reachability_probe(const wire::Datagram& datagram);
  void learn_sides(const wire::IkeHeader& header, Side from);
  bool has_sibling(const Session& session) const;
  bool is_redundant(const IkeObservation& observation) const;
  bool is_of_another_sa(const IkeObservation& observation) const;
  bool has_children_elsewhere(const Session* except) const;  // of version 1
  bool is_hearsay(const IkeObservation& observation) const;
  void tell_clear_notifies(const wire::IkeMessage& message, const wire::Datagram& datagram, Side from, TimePoint at);
  void tell_malformed(wire::ParseError error, const wire::Datagram& datagram, Side from, TimePoint at);
  void tell_oddities(const wire::IkeMessage& message, const wire::Datagram& datagram, Side from, TimePoint at);
  const Session* other_alive(const Session* except) const;
  IkeSight sight_of_deletion(const IkeObservation& deletion) const;
  bool is_spent(const Session& session) const;
  void touch(Session& session);
  void conclude();

  // What every message asks for comes first and together, as in a session: so much of both.
  static constexpr std::size_t kHotBytes = 384;
  IkeTracker& owner_;
  TimePoint due_ = TimePoint::max();
  static constexpr std::size_t kSeen = 8;
  std::array<std::uint64_t, kSeen> fingerprints_{};  // of the last datagrams, a ring; mostly this is all that is read
  std::size_t next_seen_ = 0;
  std::list<Session> sessions_;  // the newest last
  std::size_t unspent_ = 0;      // of them
  Session* current_ = nullptr;   // whose machine is speaking
  bool rekeyed_unseen_ = false;  // a rekey made an IKE SA whose first message is still to come
  bool forwarded_ = false;
  bool seen_both_ways_ = false;  // the last duplicate came in and went out
  bool child_refused_ = false;
  bool abandons_ = false;  // the initiator began anew right behind a negotiation that had been completed
  bool floated_ = false;   // IKE or ESP was seen on UDP 4500
  IkePeerView view_;
  std::array<NatWord, 2> nat_words_{};  // by side that sent
  std::array<Seen, kSeen> seen_;
  // The negotiation.
  IkeV2Session::Heritage rekeyed_;
  std::array<bool, 2> offer_is_answer_{};
  std::uint64_t offer_spi_ = 0;  // of the negotiation that the offers are of
  // Which end is ours, and where they are.
  std::optional<std::uint8_t> first_ttl_;  // of the first side heard
  IpAddress first_source_;
  IpAddress last_local_;  // of the last message between other addresses than the key's
  IpAddress last_remote_;
  std::vector<Kept> undirected_;  // of before the direction was certain
  boost::container::static_vector<std::uint64_t, 16> probe_spis_;
};

}  // namespace tunnelwatch::passive
