#pragma once

#include "probes/passive/packet_sink.h"
#include "probes/time.h"
#include "probes/wire/datagram.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tunnelwatch::passive {

struct ReassemblyLimits {
  std::size_t trains = 256;
  std::size_t total_bytes = 1024 * 1024;
  std::size_t fragments = 128;                  // of one train
  Duration timeout = std::chrono::seconds(30);  // after the first that arrived, as RFC 791 and RFC 8200 have it
  Duration memory = std::chrono::seconds(2);    // how long a finished train is known, for taps that see packets twice
};

struct ReassemblyCounters {
  std::uint64_t completed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t overlapping = 0;
  std::uint64_t too_many = 0;
  std::uint64_t cut = 0;        // trains given up because the snap length cut a fragment
  std::uint64_t malformed = 0;  // whole trains whose UDP header lied
  std::uint64_t evicted = 0;    // unfinished trains that made room for others
};

// Puts together the UDP fragments of IKE datagrams, IPv4 and IPv6, by packet time. A train whose first fragment shows
// other ports, or ESP in UDP, is forgotten but for its key. Overlap refuses a train (RFC 5722); an exact copy does not.
class Reassembly {
 public:
  explicit Reassembly(const ReassemblyLimits& limits = {});
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;
  ~Reassembly();

  // Takes a datagram of kind fragment whose protocol is UDP. The whole datagram when this one completes it, null
  // otherwise; valid until the next call. Its kind may be anything that UDP carries to us.
  const wire::Datagram* add(const wire::Datagram& fragment, TimePoint now);
  // Ends trains whose time is over; add() does so by itself.
  void expire(TimePoint now);
  // What the last add() or expire() brought to its end.
  std::span<const FragmentEvent> events() const { return events_; }
  const ReassemblyCounters& counters() const { return counters_; }
  std::size_t trains() const;
  std::size_t bytes() const { return bytes_; }

 private:
  struct Train;

  Train* find(const wire::Datagram& fragment);
  Train& open(const wire::Datagram& fragment, TimePoint now);
  void make_room();
  bool take_first(Train& train, const wire::Datagram& fragment);
  bool store(Train& train, const wire::Datagram& fragment);
  void expire_trains(TimePoint now);
  const wire::Datagram* complete(Train& train);
  void finish(Train& train, FragmentEventKind kind);
  void quiet(Train& train, TimePoint until);
  bool evict_for_bytes(const Train& keep, std::size_t wanted);

  ReassemblyLimits limits_;
  std::vector<Train> trains_;
  std::vector<FragmentEvent> events_;
  std::vector<std::uint8_t> whole_bytes_;
  wire::Datagram whole_;
  std::size_t bytes_ = 0;
  TimePoint next_deadline_ = TimePoint::max();
  ReassemblyCounters counters_;
};

}  // namespace tunnelwatch::passive
