#pragma once

#include "config/ip_address.h"
#include "probes/active/deadline_heap.h"
#include "probes/active/keyed_random.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::active {

// How one target is asked. `timeout` may be longer than `interval`: several requests are then in flight, at most
// kMaxInFlight of them; a timeout beyond that is cut to what they span.
struct EchoParams {
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds timeout{800};
  std::uint16_t payload_bytes{56};  // of the ICMP payload; below 24 it is 24
  bool dont_fragment{false};
  std::uint8_t ttl{0};               // 0: the kernel's default
  std::optional<IpAddress> source;   // of the same family as the target; unset: what the route says
  std::uint16_t burst{1};            // requests that leave together each interval, at most kMaxBurst
  std::uint8_t dscp{0};              // the upper six bits of the traffic class
  std::uint32_t fwmark{0};           // 0: none
  std::uint32_t interface_index{0};  // where requests leave; 0: what the route says

  bool operator==(const EchoParams&) const = default;
};

// One request to put on the wire. Its bytes are EchoActions::bytes_of(packet): the ICMP message from its type on; the
// checksum is set for IPv4 and left to the kernel for ICMPv6.
struct EchoPacket {
  std::uint32_t target = 0;
  std::uint32_t sequence = 0;  // 32 bits inside; the wire carries the low 16
  IpAddress to;
  std::optional<IpAddress> source;
  std::uint8_t ttl = 0;
  std::uint8_t dscp = 0;
  bool dont_fragment = false;
  std::uint32_t fwmark = 0;
  std::uint32_t interface_index = 0;
  std::size_t offset = 0;
  std::size_t length = 0;
};

// What a call of the machine wants done. The caller keeps one and clears it, so that its buffers are reused.
struct EchoActions {
  std::vector<EchoPacket> packets;
  std::vector<std::uint8_t> bytes;
  std::vector<EchoObservation> observations;

  std::span<const std::uint8_t> bytes_of(const EchoPacket& p) const { return {bytes.data() + p.offset, p.length}; }
  void clear() {
    packets.clear();
    bytes.clear();
    observations.clear();
  }
};

// Upper bounds in seconds of EchoCounters::lag_counts. Static storage.
const std::vector<double>& lag_bounds();

// What the machine saw that is no target's business. Monotonic.
struct EchoCounters {
  std::array<std::uint64_t, 9> lag_counts{};  // how late requests were made, by lag_bounds(); the last is above all
  double lag_seconds_sum = 0;
  std::uint64_t malformed = 0;        // too short, or a bad checksum
  std::uint64_t foreign = 0;          // not our nonce, or an error that quotes somebody else's packet
  std::uint64_t unmatched = 0;        // ours, but of a removed target or too old to be remembered
  std::uint64_t repeated_errors = 0;  // one more ICMP error about a request that is settled
  std::uint64_t skipped = 0;          // requests not sent because the agent was held up: never caught up on
  std::uint64_t abandoned = 0;        // in flight while the agent was held up: neither answered nor lost
};

// ICMP and ICMPv6 echo to many targets as one machine without I/O and clock. Single-threaded.
//
// The caller loops: read all that waits on the sockets (on_message), then advance(now) when next_deadline() has come,
// send the packets, tell on_sent or on_send_error for each. Reading first matters: a reply that waits in the socket's
// buffer must not be told as lost. Observations come out of every call that takes `out`.
//
// A request is ours by a 64-bit keyed nonce in its payload (over target and sequence), never by its id alone; an ICMP
// error whose quote ends before the nonce (RFC 792 promises 8 bytes) is matched by destination, id and sequence, of
// which id and start are random.
//
// Each request ends as exactly one of reply, lost, refused, send_error, or it is abandoned; late and duplicate replies
// come after that, as does a refusal with `after_loss` set.
class IcmpEcho {
 public:
  static constexpr std::size_t kMaxInFlight = 64;  // bursts, per target
  static constexpr std::uint16_t kMaxBurst = 20;
  static constexpr std::size_t kRemembered = 16;  // settled requests per target that a late answer still finds

  explicit IcmpEcho(std::uint64_t seed);

  // Starts (or, for an id that is there, restarts) a target. Ids are small integers that the owner hands out: there is
  // room for all up to the highest. The first request comes within one interval: targets are spread evenly over it,
  // whenever they are added.
  void add_target(std::uint32_t id, const IpAddress& address, const EchoParams& params, TimePoint now);
  // Forgets a target at once. Its requests in flight end without an observation.
  void remove_target(std::uint32_t id);
  bool has_target(std::uint32_t id) const { return id < targets_.size() && targets_[id].is_there(); }
  std::size_t target_count() const { return target_count_; }

  // Does what is due: requests and losses. Called late by more than 100 ms it skips the missed requests (phase kept)
  // rather than catch up; called late by more than 1 s it also abandons what was due to be lost meanwhile.
  void advance(TimePoint now, EchoActions& out);
  // When advance() has work next; none: never. Rounded up to 1 ms. From 50 bursts a second on (where no target is asked
  // more often than every 100 ms) targets share wake-ups: rounded up to what eight bursts take, 8 to 20 ms.
  std::optional<TimePoint> next_deadline() const;

  // The request left; `stamp` is the best known time of that (monotonic). RTT and timeout count from it.
  void on_sent(std::uint32_t target, std::uint32_t sequence, TimePoint stamp);
  void on_send_error(std::uint32_t target, std::uint32_t sequence, RefusalReason reason, TimePoint now,
                     EchoActions& out);
  // A received ICMP or ICMPv6 message, from its type byte on, without IP header; `from` tells the family. `received_at`
  // is the kernel's stamp. Bytes are untrusted.
  void on_message(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint8_t ttl, TimePoint received_at,
                  EchoActions& out);

  // The ICMP id of all requests, for the sockets' kernel filters.
  std::uint16_t id() const { return id_; }
  const EchoCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { none, in_flight, answered, lost, refused, send_error, abandoned };
  struct Request {
    TimePoint sent{};
    std::uint32_t sequence = 0;
    State state = State::none;
  };
  // Of thousands of targets none is in the cache when its turn comes: what every echo touches stands together.
  struct alignas(64) Target {
    std::uint32_t next_sequence = 0;
    std::uint32_t oldest = 0;  // no request before it is in flight
    TimePoint next_send{};
    Duration timeout{};
    std::vector<Request> ring;  // by sequence; size a power of two, none of a target that is not there
    std::uint32_t id = 0;
    IpAddress address;
    EchoParams params;
    bool is_there() const { return !ring.empty(); }
    Request* find(std::uint32_t sequence);
  };
  struct Quote;

  void wake_target(Target& target, TimePoint now, bool held_up, EchoActions& out);
  void expire(Target& target, TimePoint now, bool held_up, EchoActions& out);
  void send_if_due(Target& target, TimePoint now, EchoActions& out);
  void append_request(Target& target, TimePoint now, EchoActions& out);
  void count_lag(Duration lag);
  Duration tick() const;
  void schedule(Target& target);
  Target* target_of(std::uint32_t id) { return has_target(id) ? &targets_[id] : nullptr; }
  void on_reply(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint8_t ttl, TimePoint received_at,
                EchoActions& out);
  void on_error(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at, EchoActions& out);
  void refuse(const Quote& quote, RefusalReason reason, const IpAddress& from, TimePoint at, EchoActions& out);
  Target* target_of_short_quote(const Quote& quote);

  KeyedRandom random_;
  std::uint16_t id_;
  std::uint64_t added_ = 0;
  std::size_t fast_targets_ = 0;
  std::uint64_t rate_ = 0;  // of all targets' bursts, each rounded down to 1e-6 a second
  EchoCounters counters_;
  std::vector<Target> targets_;  // by id
  std::size_t target_count_ = 0;
  std::unordered_multimap<IpAddress, std::uint32_t, IpAddressHash> ids_by_address_;
  DeadlineHeap deadlines_;
};

}  // namespace tunnelwatch::active
