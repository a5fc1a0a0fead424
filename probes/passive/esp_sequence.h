#pragma once

#include "probes/passive/packet_sink.h"
#include "probes/time.h"
#include "probes/wire/datagram.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tunnelwatch::passive {

// Loss, reordering and duplicates of one stream from the clear sequence numbers (RFC 4303 sections 2.2 and 3.4.3), the
// 32 low bits of an extended one. A number is lost when it left the window of 1024, or when settle() was called twice
// since a later one came (a slow stream must not wait for 1024 packets). A step of more than the window, in either
// direction, is held back until four packets in a row go on there: one forged packet moves nothing.
class EspSequence {
 public:
  static constexpr std::uint64_t kWindow = 1024;
  static constexpr unsigned kConfirmations = 4;

  void start(std::uint32_t sequence, TimePoint now);
  void on_packet(std::uint32_t sequence, TimePoint now);
  // Once a second: whatever is missing behind the highest of the last call is lost by now.
  void settle();
  // At the end of a capture: nothing more will come.
  void settle_all();

  std::uint64_t highest() const { return highest_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t reordered() const { return reordered_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t out_of_window() const { return out_of_window_; }
  std::uint64_t jumps() const { return jumps_; }
  bool live() const { return in_sequence_ >= kLiveAfter; }
  // Something may still become loss: settle() is worth another call.
  bool unsettled() const { return settled_ < highest_ || pending_gap_ != 0; }

 private:
  static constexpr unsigned kLiveAfter = 8;

  void advance(std::uint64_t sequence, TimePoint now);
  void on_behind(std::uint64_t sequence, TimePoint now);
  void on_stranger(std::uint64_t sequence, TimePoint now);
  bool confirmed(std::uint64_t sequence);
  void move_to(std::uint64_t sequence, TimePoint now);
  void settle_to(std::uint64_t target);
  bool seen(std::uint64_t sequence) const { return (ring_[(sequence >> 6) % kWords] >> (sequence & 63) & 1) != 0; }
  void mark(std::uint64_t sequence) { ring_[(sequence >> 6) % kWords] |= std::uint64_t{1} << (sequence & 63); }
  void unmark(std::uint64_t sequence) { ring_[(sequence >> 6) % kWords] &= ~(std::uint64_t{1} << (sequence & 63)); }

  static constexpr std::size_t kWords = kWindow / 64;
  std::uint64_t highest_ = 0;
  std::uint64_t settled_ = 0;      // up to here, every number is accounted for
  std::uint64_t settle_next_ = 0;  // the highest at the last settle()
  std::uint64_t received_ = 0;     // in the window's course, for the rate that a long gap must be plausible by
  TimePoint first_{};
  TimePoint last_{};
  unsigned in_sequence_ = 0;
  unsigned candidate_count_ = 0;
  std::uint64_t candidate_ = 0;    // where the sequence may have moved to
  std::uint64_t peak_ = 0;         // the highest before the last step back: what lies below it is no new loss
  std::uint64_t pending_gap_ = 0;  // of a confirmed long step ahead, lost unless the stream returns
  bool pending_is_old_ = false;
  std::uint64_t lost_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t out_of_window_ = 0;
  std::uint64_t jumps_ = 0;
  std::array<std::uint64_t, kWords> ring_{};
};

struct EspLimits {
  std::size_t streams = 4096;                 // at most 65535
  Duration idle = std::chrono::seconds(120);  // a live stream may be evicted after this silence, never before
};

struct EspCounters {
  std::uint64_t packets = 0;
  std::uint64_t reserved_spi = 0;  // SPI 0 to 255: no SA's
  std::uint64_t evicted = 0;       // streams that made room, forged ones first
  std::uint64_t refused = 0;       // packets of new streams for which there was no room
};

// Every ESP stream (source, destination, SPI) of a capture in a table of fixed size: no packet allocates once it is
// full. New streams queue as unproven until eight packets came in sequence and make room for each other; forged SPIs
// therefore never push out a live stream. `seed` keys the hash: random where strangers choose the packets.
class EspStreams {
 public:
  explicit EspStreams(const EspLimits& limits = {}, std::uint64_t seed = 0);

  // Takes a datagram of kind esp or esp_in_udp with at least the ESP header. True when it opened a new stream, which
  // newest() tells then.
  bool on_packet(const wire::Datagram& esp, TimePoint now);
  EspStreamSummary newest() const;
  // Settles what is old enough and appends the streams that changed since the last call.
  void collect(std::vector<EspStreamSummary>& out);
  // The same at the end of a capture, when nothing more will come.
  void collect_final(std::vector<EspStreamSummary>& out);

  std::size_t size() const { return streams_.size() - free_; }
  const EspCounters& counters() const { return counters_; }

 private:
  struct Stream {
    IpAddress source;
    IpAddress destination;
    std::uint32_t spi = 0;
    bool in_udp = false;
    bool live = false;
    bool dirty = false;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint32_t hash = 0;
    std::uint32_t older = kNone;  // the queue of unproven streams
    std::uint32_t newer = kNone;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    TimePoint first{};
    TimePoint last{};
    EspSequence sequence;
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t stream = kNone;
  };
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint32_t hash_of(const IpAddress& source, const IpAddress& destination, std::uint32_t spi) const;
  std::uint32_t find(const wire::Datagram& esp, std::uint32_t spi, std::uint32_t hash) const;
  std::uint32_t open(const wire::Datagram& esp, std::uint32_t spi, std::uint32_t hash, TimePoint now);
  std::uint32_t make_room(TimePoint now);
  void enqueue(std::uint32_t index);
  void unqueue(std::uint32_t index);
  void insert_slot(std::uint32_t hash, std::uint32_t index);
  void erase_slot(std::uint32_t index);
  void touch(std::uint32_t index);
  EspStreamSummary summary(const Stream& s) const;
  template <typename Settle>
  void collect_with(std::vector<EspStreamSummary>& out, Settle settle);

  EspLimits limits_;
  std::uint64_t seed_;
  std::uint32_t mask_;
  std::vector<Stream> streams_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> changed_;
  std::vector<std::uint32_t> still_changed_;
  std::uint32_t oldest_unproven_ = kNone;
  std::uint32_t newest_unproven_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t hand_ = 0;
  std::size_t free_ = 0;
  EspCounters counters_;
};

}  // namespace tunnelwatch::passive
