#pragma once

#include "config/ip_address.h"
#include "probes/time.h"
#include "probes/wire/ip_packet.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

namespace tunnelwatch::agent {

// The last packets between each two addresses, in memory that is bounded for each two and in all. What strangers send
// can push out only what strangers sent: it is kept apart until a tunnel is found there.
class PacketRing {
 public:
  struct Limits {
    std::size_t packets = 128;                 // between two addresses
    std::size_t bytes = 128U << 10;            // the same, as records of a capture file
    std::size_t tunnel_memory = 8U << 20;      // of all tunnels, what keeping a packet costs included
    std::size_t stranger_memory = 512U << 10;  // of all else
  };
  struct Packet {
    TimePoint at;
    wire::IpPacket packet;
    bool reassembled = false;  // it came in IP fragments, and is written in fragments
  };

  explicit PacketRing(const Limits& limits) : limits_(limits) {}
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // Lower limits hold at once.
  void set_limits(const Limits& limits);
  void clear();

  // `of_tunnel`: somebody's tunnel lies between the two. Once said, it holds until their last packet is gone.
  void add(const IpAddress& a, const IpAddress& b, Packet packet, bool of_tunnel);

  // In the order of their stamps; valid until the next call that is not const.
  std::vector<const Packet*> between(const IpAddress& a, const IpAddress& b) const;
  // Of every two addresses that `address` is one of.
  std::vector<const Packet*> with(const IpAddress& address) const;

  std::size_t memory() const { return tunnels_.memory + strangers_.memory; }
  std::uint64_t evicted() const {
    return evicted_;
  }  // packets dropped for the memory of all, or too large for their own

 private:
  struct Pair;
  // Who gives a packet up next: each packet has a place here, the oldest first.
  using Order = std::list<Pair*>;
  struct Kept : Packet {
    Order::iterator place;
  };
  struct Class {
    Order order;
    std::size_t memory = 0;
  };
  using Key = std::pair<IpAddress, IpAddress>;
  using Pairs = std::map<Key, Pair>;
  struct Pair {
    std::list<Kept> packets;
    std::size_t bytes = 0;
    Class* held_in = nullptr;
    Pairs::iterator self;
  };

  void promote(Pair& pair);
  void drop_oldest(Pair& pair);
  void trim(Pair& pair);
  void make_room();
  static std::vector<const Packet*> by_time(std::vector<const Packet*> packets);

  Limits limits_;
  Pairs pairs_;
  Class tunnels_;
  Class strangers_;
  std::uint64_t evicted_ = 0;
};

}  // namespace tunnelwatch::agent
