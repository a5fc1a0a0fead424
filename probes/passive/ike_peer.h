#pragma once

#include "probes/passive/ike_tracker.h"

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

  void on_datagram(const wire::Datagram& datagram, TimePoint at, bool reassembled);
  void on_esp(bool from_local, bool in_udp, TimePoint at);
  void advance(TimePoint now);
  // When advance() may next have something to tell if no packet comes before.
  TimePoint due() const { return due_; }
  void on_observation(const IkeObservation& observation) override;

  const IkePeerView& view() const { return view_; }
  bool pinned = false;
  bool listed = false;  // among those that the tracker advances
  // Both ends were heard, so this is no stranger's packet.
  bool both_heard() const { return view_.messages[0] > 0 && view_.messages[1] > 0; }
  bool names(const IpAddress& address) const { return view_.key.local == address || view_.key.remote == address; }
  bool has_duplicate(std::uint64_t fingerprint, bool from_local, TimePoint at);
  void learn_direction(const wire::Datagram& datagram);

 private:
  struct Session {
    std::variant<IkeV1Session, IkeV2Session> machine;
    TimePoint began;

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
    bool half_open() const {
      return visit([](const auto& m) { return m.half_open(); });
    }
  };
  struct Seen {
    std::uint64_t fingerprint = 0;
    bool from_local = false;
    TimePoint at = TimePoint::max();  // never seen
  };

  Session& session_for(const wire::IkeMessage& message, Side from, TimePoint at);
  void make_room();
  void learn_offers(const wire::IkeMessage& message, Side from);
  void learn_nat(const wire::Datagram& datagram, const wire::IkeMessage& message, Side from, TimePoint at);
  bool is_reachability_probe(const wire::Datagram& datagram);
  void tell_malformed(wire::ParseError error, const wire::Datagram& datagram, Side from, TimePoint at);
  void tell_oddities(const wire::IkeMessage& message, const wire::Datagram& datagram, Side from, TimePoint at);
  bool other_alive(const Session* except) const;
  void conclude();

  IkeTracker& owner_;
  TimePoint due_ = TimePoint::max();
  IkePeerView view_;
  std::list<Session> sessions_;       // the newest last
  const Session* current_ = nullptr;  // whose machine is speaking
  bool rekeyed_unseen_ = false;       // a rekey made an IKE SA whose first message is still to come
  std::optional<SuiteLengths> rekeyed_suite_;
  std::array<Seen, 8> seen_;  // the last datagrams, a ring
  std::size_t next_seen_ = 0;
  boost::container::static_vector<std::uint64_t, 16> probe_spis_;
  std::optional<std::uint8_t> first_ttl_;  // of the first side heard
  IpAddress first_source_;
  bool child_refused_ = false;
};

}  // namespace tunnelwatch::passive
