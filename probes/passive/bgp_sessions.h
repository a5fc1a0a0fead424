#pragma once

#include "probes/passive/traffic_observation.h"
#include "probes/wire/datagram.h"
#include "probes/wire/tcp.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::passive {

struct BgpCounters {
  std::uint64_t connections = 0;
  std::uint64_t evicted = 0;    // to make room
  std::uint64_t malformed = 0;  // messages that are no BGP, or none that can be read
};

// Reads how BGP sessions begin: of each direction of a connection the first messages in order, up to the one that
// accepts or refuses the other end. No reassembly: what comes again is skipped, what comes too early waits for its
// repetition, and a connection whose beginning was not seen is read from the first segment that begins with a message.
// Memory: kConnections times twice a message of 4096 bytes.
class BgpSessions {
 public:
  static constexpr std::size_t kConnections = 64;

  // A packet of TCP, whole. What it tells is appended.
  void on_packet(const wire::Datagram& packet, TimePoint at, std::vector<BgpObservation>& out);
  std::size_t size() const { return connections_.size(); }
  const BgpCounters& counters() const { return counters_; }

 private:
  struct Key {
    IpAddress low;
    IpAddress high;
    std::uint16_t low_port = 0;
    std::uint16_t high_port = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& k) const {
      return (k.low.hash() * 31 + k.high.hash()) * 31 + (std::size_t{k.low_port} << 16 | k.high_port);
    }
  };
  struct Direction {
    bool begun = false;
    bool done = false;
    std::uint32_t next = 0;            // sequence number of the next byte
    std::vector<std::uint8_t> buffer;  // the message that is incomplete
    std::uint32_t as_number = 0;       // of its OPEN
  };
  struct Connection {
    Key key;
    std::array<Direction, 2> directions;  // from the lower end, from the higher end
  };
  // Where a message belongs.
  struct Place {
    const wire::Datagram& packet;
    Direction& mine;
    Direction& other;
    TimePoint at;
  };
  using Connections = std::list<Connection>;  // the most recent first

  Connection& connection_of(const Key& key);
  static bool begins(const wire::TcpSegment& segment, Direction& direction);
  void read(const Place& place, wire::Bytes fresh, std::vector<BgpObservation>& out);
  bool read_message(const Place& place, std::vector<BgpObservation>& out);
  static void finish(Direction& direction);

  Connections connections_;
  std::unordered_map<Key, Connections::iterator, KeyHash> by_key_;
  BgpCounters counters_;
};

}  // namespace tunnelwatch::passive
