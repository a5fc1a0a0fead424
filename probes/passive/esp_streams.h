#pragma once

#include "probes/passive/esp_sequence.h"
#include "probes/passive/packet_sink.h"
#include "probes/time.h"
#include "probes/wire/datagram.h"
#include "probes/wire/esp_glance.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tunnelwatch::passive {

struct EspLimits {
  std::size_t streams = 4096;                 //
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
  // The same for a stream that is known already; false, and nothing happens, when it is not.
  bool on_known(const wire::EspGlance& esp, TimePoint now);
  EspStreamSummary newest() const;
  // The capture lost packets itself, or was closed for a while: until `until`, and up to each stream's next packet,
  // nothing that is missing counts as lost.
  void on_capture_gap(TimePoint until);
  // Settles what is old enough and appends the streams that changed since the last call.
  void collect(std::vector<EspStreamSummary>& out);
  // The same at the end of a capture, when nothing more will come.
  void collect_final(std::vector<EspStreamSummary>& out);

  std::size_t size() const { return streams_.size(); }
  const EspCounters& counters() const { return counters_; }

 private:
  // Addresses as words: compared and hashed for every packet, and no arrays, which the compiler would guard on the
  // stack. IPv4 uses the first of each pair.
  struct Key {
    std::uint64_t source = 0;
    std::uint64_t source_rest = 0;
    std::uint64_t destination = 0;
    std::uint64_t destination_rest = 0;
    std::uint32_t spi = 0;
    bool v6 = false;

    bool operator==(const Key& other) const {
      return ((source ^ other.source) | (destination ^ other.destination) | (source_rest ^ other.source_rest) |
              (destination_rest ^ other.destination_rest)) == 0 &&
             spi == other.spi && v6 == other.v6;
    }
  };
  struct Stream {
    Key key;
    IpAddress source;
    IpAddress destination;
    bool in_udp = false;
    bool live = false;
    bool dirty = false;
    wire::LinkDirection direction = wire::LinkDirection::unknown;  // of its first packet
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint32_t hash = 0;
    std::uint32_t gaps = 0;       // of the capture, as many as this stream has passed over
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

  static Key key_of(const wire::Datagram& esp, std::uint32_t spi);
  std::uint32_t hash_of(const Key& key) const;
  std::uint32_t find(const Key& key, std::uint32_t hash) const;
  std::uint32_t open(const wire::Datagram& esp, const Key& key, std::uint32_t hash, TimePoint now);
  void advance(Stream& s, std::uint32_t sequence, TimePoint now);
  static bool is_second_sight(Stream& s, wire::LinkDirection direction, TimePoint now);
  void account(std::uint32_t index, const wire::EspGlance& esp, TimePoint now);
  std::uint32_t make_room(TimePoint now);
  void enqueue(std::uint32_t index);
  void unqueue(std::uint32_t index);
  void insert_slot(std::uint32_t hash, std::uint32_t index);
  void erase_slot(std::uint32_t index);
  void touch(std::uint32_t index);
  EspStreamSummary summary(const Stream& s) const;

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
  std::uint32_t gaps_ = 0;
  TimePoint blind_until_ = TimePoint::min();
  EspCounters counters_;
};

}  // namespace tunnelwatch::passive
