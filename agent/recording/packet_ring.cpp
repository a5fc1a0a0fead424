#include "agent/recording/packet_ring.h"

#include "probes/wire/pcap.h"

#include <algorithm>

namespace tunnelwatch::agent {

namespace {

// What it takes in the file, at most.
std::size_t bytes_of(const PacketRing::Packet& p) {
  constexpr std::size_t kMoreForAFragment = wire::kPcapRecordHeaderSize + 48;  // and the headers of IPv6
  constexpr std::size_t kSmallestFullFragment = 1400;
  const std::size_t fragments = p.reassembled ? 2 + p.packet.bytes.size() / kSmallestFullFragment : 0;
  return wire::kPcapRecordHeaderSize + p.packet.bytes.size() + fragments * kMoreForAFragment;
}

// Two list nodes, the allocation of the bytes, and a share of the pair's own node, which a lone packet has for itself.
constexpr std::size_t kCostOfKeeping = 288;
std::size_t memory_of(const PacketRing::Packet& p) { return kCostOfKeeping + p.packet.bytes.size(); }

}  // namespace

void PacketRing::set_limits(const Limits& limits) {
  limits_ = limits;
  for (auto it = pairs_.begin(); it != pairs_.end();) trim((it++)->second);
  make_room();
}

void PacketRing::clear() {
  pairs_.clear();
  tunnels_ = {};
  strangers_ = {};
}

void PacketRing::add(const IpAddress& a, const IpAddress& b, Packet packet, bool of_tunnel) {
  if (packet.packet.bytes.empty()) return;
  if (bytes_of(packet) > limits_.bytes) {
    ++evicted_;
    return;
  }
  const auto [it, fresh] = pairs_.try_emplace(std::minmax(a, b));
  Pair& pair = it->second;
  if (fresh) {
    pair.self = it;
    pair.held_in = of_tunnel ? &tunnels_ : &strangers_;
  } else if (of_tunnel) {
    promote(pair);
  }
  Class& held = *pair.held_in;
  pair.bytes += bytes_of(packet);
  held.memory += memory_of(packet);
  held.order.push_back(&pair);
  pair.packets.push_back({std::move(packet), std::prev(held.order.end())});
  trim(pair);
  make_room();
}

void PacketRing::promote(Pair& pair) {
  if (pair.held_in == &tunnels_) return;
  for (const Kept& p : pair.packets) {
    tunnels_.order.splice(tunnels_.order.end(), strangers_.order, p.place);
    strangers_.memory -= memory_of(p);
    tunnels_.memory += memory_of(p);
  }
  pair.held_in = &tunnels_;
}

void PacketRing::drop_oldest(Pair& pair) {
  const Kept& oldest = pair.packets.front();
  pair.bytes -= bytes_of(oldest);
  pair.held_in->memory -= memory_of(oldest);
  pair.held_in->order.erase(oldest.place);
  pair.packets.pop_front();
  if (pair.packets.empty()) pairs_.erase(pair.self);
}

// To its own limits; with its last packet the pair is gone.
void PacketRing::trim(Pair& pair) {
  const auto over = [&] { return pair.packets.size() > limits_.packets || pair.bytes > limits_.bytes; };
  while (over()) {
    const bool last = pair.packets.size() == 1;
    drop_oldest(pair);
    if (last) return;
  }
}

void PacketRing::make_room() {
  const auto shrink = [this](Class& held, std::size_t limit) {
    while (held.memory > limit) {
      drop_oldest(*held.order.front());
      ++evicted_;
    }
  };
  shrink(tunnels_, limits_.tunnel_memory);
  shrink(strangers_, limits_.stranger_memory);
}

std::vector<const PacketRing::Packet*> PacketRing::between(const IpAddress& a, const IpAddress& b) const {
  std::vector<const Packet*> found;
  const auto it = pairs_.find(std::minmax(a, b));
  if (it == pairs_.end()) return found;
  for (const Kept& p : it->second.packets) found.push_back(&p);
  return by_time(std::move(found));
}

std::vector<const PacketRing::Packet*> PacketRing::with(const IpAddress& address) const {
  std::vector<const Packet*> found;
  for (const auto& [key, pair] : pairs_) {
    if (key.first != address && key.second != address) continue;
    for (const Kept& p : pair.packets) found.push_back(&p);
  }
  return by_time(std::move(found));
}

// Interfaces hand over on their own, so that what came on two of them is out of order by a little.
std::vector<const PacketRing::Packet*> PacketRing::by_time(std::vector<const Packet*> packets) {
  std::stable_sort(packets.begin(), packets.end(), [](const Packet* x, const Packet* y) { return x->at < y->at; });
  return packets;
}

}  // namespace tunnelwatch::agent
