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
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::active {

struct EspProbeTarget {
  IpAddress address;
  std::optional<IpAddress> source;  // of the same family; unset: what the route says
  bool operator==(const EspProbeTarget&) const = default;
};

// The payload of one IP packet of protocol 50.
struct EspProbePacket {
  std::uint64_t probe = 0;  // for on_sent, on_send_error and withdraw
  IpAddress to;
  std::optional<IpAddress> source;
  std::vector<std::uint32_t> targets;  // that it is sent for
  std::vector<std::uint8_t> bytes;
};

struct EspProbeActions {
  std::vector<EspProbePacket> packets;
  std::vector<EspProbeObservation> observations;
  void clear() {
    packets.clear();
    observations.clear();
  }
};

struct EspProbeCounters {
  std::uint64_t malformed = 0;  // no ESP echo
  std::uint64_t foreign = 0;    // not about a packet of ours
  std::uint64_t unmatched = 0;  // about one that is answered, or too old
  EspProbeCounters& operator+=(const EspProbeCounters& other) {
    malformed += other.malformed;
    foreign += other.foreign;
    unmatched += other.unmatched;
    return *this;
  }
};

// Does the way to a peer carry IP protocol 50? One machine for all peers, without I/O and clock. Single-threaded. Used
// like IkeProbe: read what waits (on_reply, on_icmp_error), advance(now) when next_deadline() has come, send, tell
// on_sent or on_send_error, or withdraw() where meanwhile there is no need to ask.
//
// What is sent is an ESP echo request (wire/esp_echo.h), whose SPI no SA can have: it touches no traffic of the peer's
// and leaves no state behind. Each peer has at most one outstanding. Targets with the same peer and source share it;
// each gets its observation.
//
// Rate, for each peer: one an interval (+-10 %); where it never answered and nobody refused it, the interval doubles
// with each silence up to kMaxBackoff. Of extra ones (probe_now) kBurst at most, refilled one an interval, never two
// within kMinGap.
class EspProbe {
 public:
  static constexpr std::chrono::minutes kMaxBackoff{30};
  static constexpr std::chrono::seconds kMinGap{2};
  static constexpr std::uint16_t kBurst = 3;
  static constexpr std::size_t kDataSize = 8;

  EspProbe(std::uint64_t seed, const config::EspProbe& settings);

  // Adds a target, or changes the one with this id (a change of the address or source starts anew).
  void add_target(std::uint32_t id, const EspProbeTarget& target, TimePoint now);
  void remove_target(std::uint32_t id);
  std::size_t path_count() const { return path_of_.size(); }

  // Something looks wrong: one more request, as soon as the rate allows.
  void probe_now(std::uint32_t id);

  void advance(TimePoint now, EspProbeActions& out);
  std::optional<TimePoint> next_deadline() const;
  // Whether an answer is waited for.
  bool waits() const { return outstanding_ > 0; }

  void on_sent(std::uint64_t probe, TimePoint stamp);
  void on_send_error(std::uint64_t probe, RefusalReason reason, TimePoint now, EspProbeActions& out);
  // It was not sent, and nobody is to hear of it; the next one is due an interval later.
  void withdraw(std::uint64_t probe);
  // An ESP packet of `from`, from its SPI on. Bytes are untrusted.
  void on_reply(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at,
                EspProbeActions& out);
  // An ICMP error of `offender` about an ESP packet to `to`, of which `quoted` is what the error holds from the SPI on.
  struct IcmpError {
    IpAddress to;
    IpAddress offender;
    RefusalReason reason = RefusalReason::none;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    TimePoint received_at{};
  };
  void on_icmp_error(const IcmpError& error, std::span<const std::uint8_t> quoted, EspProbeActions& out);

  const EspProbeCounters& counters() const { return counters_; }

 private:
  struct Path {
    EspProbeTarget to;
    std::vector<std::uint32_t> targets;  // empty: a free slot
    std::uint32_t sequence = 0;          // of the newest request; 0: it is told, and nothing about it matters any more
    std::uint64_t nonce = 0;
    TimePoint sent{};
    bool outstanding = false;
    bool answers = false;        // it ever answered, or somebody refused it
    std::uint32_t silences = 0;  // since then, or since the start
    bool wanted = false;         // an extra request
    TimePoint next_regular{};
    std::optional<TimePoint> last_send;
    TimePoint bucket_full_at{};  // the bucket of extra requests lacks one token for each interval until then
  };
  std::uint32_t path_for(const EspProbeTarget& target, TimePoint now);
  void leave_path(std::uint32_t slot, std::uint32_t target);
  void wake_path(std::uint32_t slot, TimePoint now, EspProbeActions& out);
  void send(std::uint32_t slot, TimePoint now, EspProbeActions& out);
  void report(std::uint32_t slot, EspProbeObservation o, EspProbeActions& out) const;
  void settle(std::uint32_t slot, bool told);
  TimePoint earliest_regular(const Path& path) const;
  TimePoint earliest_extra(const Path& path) const;
  Duration regular_interval(const Path& path);
  Duration spread(Duration over);
  void schedule(std::uint32_t slot);
  Path* path_of_probe(std::uint64_t probe);
  std::optional<std::uint32_t> slot_of(std::uint32_t sequence) const;

  config::EspProbe settings_;
  KeyedRandom random_;
  EspProbeCounters counters_;
  std::uint32_t next_sequence_;
  std::vector<Path> paths_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::uint32_t, std::uint32_t> path_of_;           // target id -> slot
  std::unordered_map<std::uint32_t, std::uint32_t> slot_by_sequence_;  // of requests that are not told yet, or silent
  std::size_t outstanding_ = 0;
  DeadlineHeap deadlines_;
};

}  // namespace tunnelwatch::active
