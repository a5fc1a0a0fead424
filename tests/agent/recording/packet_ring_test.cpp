#include "agent/recording/packet_ring.h"

#include "probes/wire/pcap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress host(std::uint32_t number) { return IpAddress::v4(0x0a000000U + number); }
const IpAddress kHere = host(0);

TimePoint at(int ms) { return TimePoint{std::chrono::milliseconds(ms)}; }

// A packet of `size` bytes; its first two say its number.
PacketRing::Packet packet(int ms, std::uint16_t number, std::size_t size = 100) {
  PacketRing::Packet p{at(ms), {}, false};
  p.packet.bytes.assign(size, 0);
  p.packet.bytes[0] = static_cast<std::uint8_t>(number >> 8);
  p.packet.bytes[1] = static_cast<std::uint8_t>(number);
  p.packet.wire_length = static_cast<std::uint32_t>(size);
  return p;
}

std::vector<int> numbers(const std::vector<const PacketRing::Packet*>& packets) {
  std::vector<int> out;
  for (const auto* p : packets) out.push_back(p->packet.bytes[0] << 8 | p->packet.bytes[1]);
  return out;
}

TEST(PacketRing, KeepsTheLastPacketsOfBothDirections) {
  PacketRing ring({.packets = 3});
  for (std::uint16_t i = 1; i <= 5; ++i) {
    const bool out = i % 2 == 0;
    ring.add(out ? kHere : host(1), out ? host(1) : kHere, packet(i, i), true);
  }
  ring.add(kHere, host(2), packet(6, 6), true);
  EXPECT_THAT(numbers(ring.between(host(1), kHere)), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers(ring.between(kHere, host(2))), ElementsAre(6));
  EXPECT_THAT(numbers(ring.between(kHere, host(3))), IsEmpty());
  EXPECT_EQ(ring.evicted(), 0U) << "replaced by newer ones of their own";
}

TEST(PacketRing, TheBytesOfARecordingAreBounded) {
  PacketRing ring({.packets = 1000, .bytes = 1000});
  for (std::uint16_t i = 1; i <= 50; ++i) ring.add(kHere, host(1), packet(i, i), true);
  const auto kept = ring.between(kHere, host(1));
  std::size_t bytes = 0;
  for (const auto* p : kept) bytes += wire::kPcapRecordHeaderSize + p->packet.bytes.size();
  EXPECT_LE(bytes, 1000U);
  EXPECT_THAT(numbers(kept), ElementsAre(43, 44, 45, 46, 47, 48, 49, 50));
  ring.add(kHere, host(1), packet(60, 60, 2000), true);
  EXPECT_EQ(ring.between(kHere, host(1)).size(), 8U) << "what fits nowhere pushes nothing out";
  EXPECT_EQ(ring.evicted(), 1U);
}

TEST(PacketRing, WhatCameOutOfOrderIsToldInOrder) {
  PacketRing ring({});
  ring.add(kHere, host(1), packet(20, 1), true);
  ring.add(host(1), kHere, packet(10, 2), true);
  ring.add(kHere, host(1), packet(20, 3), true);
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(2, 1, 3));
}

TEST(PacketRing, OfOneAddressAllPairs) {
  PacketRing ring({});
  ring.add(kHere, host(1), packet(3, 1), false);
  ring.add(host(1), host(7), packet(2, 2), true);
  ring.add(host(7), host(8), packet(1, 3), true);
  EXPECT_THAT(numbers(ring.with(host(1))), ElementsAre(2, 1));
}

TEST(PacketRing, AllTunnelsShareABoundAndTheOldestPacketGoes) {
  PacketRing ring({.tunnel_memory = 10'000});
  for (std::uint16_t i = 0; i < 100; ++i) ring.add(kHere, host(1U + i % 10), packet(i, i), true);
  EXPECT_LE(ring.memory(), 10'000U);
  EXPECT_GT(ring.memory(), 9'000U);
  EXPECT_GT(ring.evicted(), 0U);
  for (std::uint32_t i = 1; i <= 10; ++i) {
    const auto kept = numbers(ring.between(kHere, host(i)));
    ASSERT_FALSE(kept.empty()) << "no tunnel is forgotten for another";
    EXPECT_EQ(kept.back(), 89 + static_cast<int>(i));
  }
}

TEST(PacketRing, StrangersPushOutNoTunnel) {
  PacketRing ring({.tunnel_memory = 100'000, .stranger_memory = 20'000});
  for (std::uint16_t i = 1; i <= 5; ++i) ring.add(kHere, host(1), packet(i, i), true);
  for (std::uint32_t i = 0; i < 10'000; ++i) ring.add(host(100 + i), kHere, packet(10, 9), false);
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_LE(ring.memory(), 20'000U + 5U * 400U);
  EXPECT_THAT(numbers(ring.between(kHere, host(100 + 9'999))), ElementsAre(9));
  EXPECT_THAT(numbers(ring.between(kHere, host(100))), IsEmpty());
}

TEST(PacketRing, AStrangerThatBecomesATunnelKeepsItsPackets) {
  PacketRing ring({.tunnel_memory = 100'000, .stranger_memory = 3'000});
  ring.add(host(1), kHere, packet(1, 1), false);
  ring.add(host(1), kHere, packet(2, 2), false);
  ring.add(host(1), kHere, packet(3, 3), true);
  const auto before = ring.memory();
  for (std::uint32_t i = 0; i < 100; ++i) ring.add(host(100 + i), kHere, packet(10, 9), false);
  EXPECT_THAT(numbers(ring.between(host(1), kHere)), ElementsAre(1, 2, 3));
  EXPECT_LE(ring.memory(), before + 3'000);
  ring.set_limits({.tunnel_memory = 0, .stranger_memory = 0});
  EXPECT_EQ(ring.memory(), 0U);
}

TEST(PacketRing, LowerLimitsHoldAndNothingIsLeftOfWhatIsCleared) {
  PacketRing ring({});
  for (std::uint16_t i = 1; i <= 20; ++i) ring.add(kHere, host(1), packet(i, i), true);
  ring.set_limits({.packets = 2});
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(19, 20));
  ring.add(kHere, host(1), packet(21, 21), true);
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(20, 21));
  ring.set_limits({.bytes = 50});
  EXPECT_THAT(ring.between(kHere, host(1)), IsEmpty());
  ring.clear();
  EXPECT_EQ(ring.memory(), 0U);
  EXPECT_THAT(ring.between(kHere, host(1)), IsEmpty());
  ring.set_limits({});
  ring.add(kHere, host(1), packet(22, 22), true);
  EXPECT_THAT(numbers(ring.between(kHere, host(1))), ElementsAre(22));
}

TEST(PacketRing, APacketWithoutBytesIsNone) {
  PacketRing ring({});
  ring.add(kHere, host(1), {at(1), {}, false}, true);
  EXPECT_THAT(ring.between(kHere, host(1)), IsEmpty());
  EXPECT_EQ(ring.memory(), 0U);
}

}  // namespace
}  // namespace tunnelwatch::agent
