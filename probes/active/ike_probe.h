#pragma once

#include "config/ip_address.h"
#include "config/settings.h"
#include "probes/active/deadline_heap.h"
#include "probes/active/keyed_random.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::active {

// Requests that a responder answers without keeping state, from the cheapest to the surest.
enum class IkeProbeKind : std::uint8_t {
  version3,   // a bare header of major version 3: INVALID_MAJOR_VERSION (RFC 7296 section 2.5)
  sa_init,    // IKE_SA_INIT whose only cipher is of the private range: NO_PROPOSAL_CHOSEN
  main_mode,  // IKEv1 main mode, message 1, likewise
};

struct IkeProbeTarget {
  IpAddress address;
  std::optional<IpAddress> source;  // of the same family; unset: what the route says
  config::IkeVersion version = config::IkeVersion::any;
  bool offers_only = false;  // no request of version 3: whoever answers it says nothing of the versions that it speaks
};

// One datagram to send to the peer's `port`, from an ephemeral port. Behind port 4500 the non-ESP marker is in `bytes`.
struct IkeProbePacket {
  std::uint64_t probe = 0;  // for on_sent and on_send_error: the initiator SPI
  IpAddress to;
  std::uint16_t port = 500;
  std::optional<IpAddress> source;
  IkeProbeKind kind = IkeProbeKind::version3;
  std::vector<std::uint8_t> bytes;
};

struct IkeProbeActions {
  std::vector<IkeProbePacket> packets;
  std::vector<IkeProbeObservation> observations;
  void clear() {
    packets.clear();
    observations.clear();
  }
};

// What an ISAKMP message says in clear, as far as a probe wants to know.
struct IkeAnswer {
  std::uint64_t initiator_spi = 0;
  std::uint8_t version = 0;  // major
  std::uint16_t notify = 0;  // the first error, else the first notify, else 0
  bool has_notify = false;
  bool has_sa = false;
  bool reflected = false;  // it may be a request of our own, sent back
};
// Reads a message without marker; nothing where it is no ISAKMP message.
std::optional<IkeAnswer> read_ike_answer(std::span<const std::uint8_t> bytes);

struct IkeProbeCounters {
  std::uint64_t malformed = 0;  // not an ISAKMP message
  std::uint64_t foreign = 0;    // an SPI that we did not send, another address, or our own request reflected
  std::uint64_t unmatched = 0;  // one of our SPIs, but answered before or too old
  std::uint64_t abandoned = 0;  // outstanding while the agent was held up
  IkeProbeCounters& operator+=(const IkeProbeCounters& other) {
    malformed += other.malformed;
    foreign += other.foreign;
    unmatched += other.unmatched;
    abandoned += other.abandoned;
    return *this;
  }
};

// Is the peer's IKE reachable on UDP 500 and 4500? One machine for all peers, without I/O and clock. Single-threaded.
// Used like IcmpEcho: read what waits (on_datagram, on_icmp_error), advance(now) when next_deadline() has come, send,
// tell on_sent or on_send_error.
//
// It leaves no half-open SA: no request is one that a responder can accept, and no cookie is ever answered. Each peer
// has at most one request outstanding, whichever port it went to; its ports take turns. Each port remembers the kind
// that worked; one that never answered is told silent once its ladder of kinds was tried, and then asked at intervals
// that double up to 5 minutes. Targets with the same peer and source share requests; each gets its observation.
//
// Rate, for each peer and port: one request an interval (+-10 %), and of extra ones (probe_now, further kinds) `burst`
// at most (at least two), refilled one an interval, never two within a second. An extra one puts the next regular one
// off, so that the average stays at one an interval. And whatever the reason, no more than `daily_limit` in 24 hours:
// then nothing is asked, and nothing told, until the day is over.
class IkeProbe {
 public:
  static constexpr std::chrono::seconds kMaxBackoff{300};
  static constexpr std::chrono::milliseconds kMinGap{1000};
  static constexpr std::size_t kRememberedSpis = 8192;

  IkeProbe(std::uint64_t seed, const config::IkeProbe& settings);

  // Adds a target, or changes the one with this id (a change of the address starts anew).
  void add_target(std::uint32_t id, const IkeProbeTarget& target, TimePoint now);
  void remove_target(std::uint32_t id);
  std::size_t path_count() const { return path_of_.size(); }

  // Something else looks wrong: two requests, as soon as the rate allows, to both ports; an answer ends it. Never less
  // than two within a burst, however far the backoff has gone.
  void probe_now(std::uint32_t id);

  void advance(TimePoint now, IkeProbeActions& out);
  std::optional<TimePoint> next_deadline() const;

  void on_sent(std::uint64_t probe, TimePoint stamp);
  void on_send_error(std::uint64_t probe, RefusalReason reason, TimePoint now, IkeProbeActions& out);
  // A datagram from the peer's `from_port` (500 or 4500), as received, marker included. Bytes are untrusted.
  void on_datagram(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint16_t from_port,
                   TimePoint received_at, IkeProbeActions& out);
  // An ICMP error about what we sent to this address and port; `offender` sent it.
  void on_icmp_error(const IpAddress& to, std::uint16_t port, RefusalReason reason, const IpAddress& offender,
                     TimePoint received_at, IkeProbeActions& out);

  // Was this initiator SPI one of our last kRememberedSpis probes? Trackers of the wire leave those out.
  bool is_own_spi(std::uint64_t spi) const { return recent_.count(spi) != 0; }
  // The kind that the peer answered last on this port.
  std::optional<IkeProbeKind> known_kind(std::uint32_t id, std::uint16_t port) const;
  const IkeProbeCounters& counters() const { return counters_; }

 private:
  struct Request {
    std::uint64_t spi = 0;  // 0: none
    IkeProbeKind kind = IkeProbeKind::version3;
    TimePoint sent{};
    bool silent = false;  // its timeout passed; a late answer or refusal still counts, once
  };
  struct Path {
    IpAddress address;
    std::optional<IpAddress> source;
    std::uint16_t port = 0;  // 0: a free slot
    config::IkeVersion version = config::IkeVersion::any;
    bool offers_only = false;
    std::vector<std::uint32_t> targets;
    Request request;   // the newest one
    Request previous;  // the one before, for an answer that comes very late
    bool outstanding = false;
    bool ladder_tried = false;     // every kind was tried without an answer since the last answer
    std::uint32_t unanswered = 0;  // in a row
    std::uint8_t wanted = 0;       // extra requests asked for
    std::optional<IkeProbeKind> known;
    TimePoint next_regular{};
    TimePoint turn{};  // the peer was busy with another port until then
    std::optional<TimePoint> last_send;
    TimePoint day_began{};         // with the first request of a day
    std::uint32_t sent_today = 0;  // since then
    TimePoint bucket_full_at{};    // the bucket of extra requests lacks one token for each interval until then
  };
  std::uint32_t path_for(const IkeProbeTarget& target, std::uint16_t port, TimePoint now);
  void leave_path(std::uint32_t slot, std::uint32_t target);
  void wake_peer(const IpAddress& address, TimePoint now, IkeProbeActions& out);
  Path* outstanding_to(const IpAddress& address);
  Path* whose_turn(const IpAddress& address, TimePoint now);
  void settle(Path& path, TimePoint now);
  void send(Path& path, TimePoint now, IkeProbeActions& out);
  void conclude_silent(Path& path, TimePoint now, IkeProbeActions& out);
  static void report(const Path& path, IkeProbeObservation o, const Request& request, IkeProbeActions& out);
  TimePoint earliest_regular(const Path& path) const;
  TimePoint earliest_extra(const Path& path) const;
  TimePoint within_budget(const Path& path, TimePoint at) const;
  bool is_due(const Path& path, TimePoint now) const;
  Duration regular_interval(const Path& path);
  Duration spread(Duration over);
  std::uint16_t burst() const;
  void schedule(std::uint32_t slot);
  void schedule_peer(const IpAddress& address);
  std::uint64_t new_spi(std::uint32_t slot);
  void on_answer(const IkeAnswer& answer, const IpAddress& from, std::uint16_t from_port, TimePoint received_at,
                 IkeProbeActions& out);

  config::IkeProbe settings_;
  KeyedRandom random_;
  IkeProbeCounters counters_;
  std::vector<Path> paths_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::uint64_t, std::uint32_t> path_of_;  // id and port -> slot
  std::unordered_multimap<IpAddress, std::uint32_t, IpAddressHash> slots_by_address_;
  std::unordered_map<std::uint64_t, std::uint32_t> recent_;  // SPI -> slot
  std::deque<std::uint64_t> recent_order_;
  DeadlineHeap deadlines_;
};

}  // namespace tunnelwatch::active
