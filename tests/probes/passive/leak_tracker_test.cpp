#include "probes/passive/leak_tracker.h"

#include "probes/passive/packet_front.h"
#include "tests/probes/wire/frame_builder.h"
#include "tests/support/silent_packet_sink.h"

#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::LinkType;

const TimePoint kStart{seconds(1000)};
constexpr MacAddress kOwnMac{2, 0, 0, 0, 0, 1};

IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

TrafficInterest interest() {
  TrafficInterest i;
  i.tunnels.push_back({.tunnel = "cloud",
                       .remote = address("198.51.100.20"),
                       .local_subnets = {prefix("10.1.0.0/24"), prefix("fd01::/64")},
                       .remote_subnets = {prefix("10.2.0.0/24"), prefix("fd02::/64")}});
  i.own_addresses = {address("192.0.2.10"), address("10.1.0.1")};
  i.own_echo_id = 77;
  return i;
}

struct LeakSink final : test::SilentPacketSink {
  std::vector<LeakSummary> leaks;
  void on_leak(const LeakSummary& leak) override { leaks.push_back(leak); }
};

// A frame as it leaves this gateway, or as it arrives.
Buffer leaving(Buffer packet) {
  Buffer frame = ethernet(packet);
  std::copy(kOwnMac.begin(), kOwnMac.end(), frame.begin() + 6);
  return frame;
}
Buffer arriving(const Buffer& packet) { return ethernet(packet); }

Buffer tcp_packet(std::string_view from, std::string_view to) {
  return ipv4({.source = from, .destination = to, .protocol = 6}, filler(40));
}
Buffer ping(std::string_view from, std::string_view to, unsigned id) {
  return ipv4({.source = from, .destination = to, .protocol = 1}, icmp(8, 0, id << 16 | 1U, filler(40)));
}

class LeakTest : public testing::Test {
 protected:
  LeakTest() : front(sink, options()) {
    front.set_interest(interest());
    front.set_own_mac(kOwnMac);
  }
  static PacketFrontOptions options() {
    PacketFrontOptions o;
    o.interface = 5;
    return o;
  }
  void feed(const Buffer& frame, TimePoint at, LinkType link = LinkType::ethernet) {
    front.on_frame(link, frame, static_cast<std::uint32_t>(frame.size()), at);
  }
  // Ten of them, over a second.
  void feed_many(const Buffer& frame, LinkType link = LinkType::ethernet) {
    for (int i = 0; i <= 9; ++i) feed(frame, kStart + milliseconds(100 * i), link);
    front.on_tick(kStart + milliseconds(2000));
  }
  LeakSink sink;
  PacketFront front;
};

TEST_F(LeakTest, IsToldAtTheThirdPacketAndThenOnceASecond) {
  feed(leaving(ipv4({}, udp(500, 500, isakmp()))), kStart);
  for (int i = 0; i < 2; ++i) feed(leaving(tcp_packet("192.0.2.10", "10.2.0.7")), kStart + milliseconds(i));
  EXPECT_TRUE(sink.leaks.empty());
  for (int i = 2; i < 1500; ++i) feed(leaving(tcp_packet("192.0.2.10", "10.2.0.7")), kStart + milliseconds(i));
  ASSERT_EQ(sink.leaks.size(), 2U);
  EXPECT_EQ(sink.leaks[0].packets, 3U);
  EXPECT_EQ(sink.leaks[1].packets, 1000U);
  EXPECT_EQ(sink.leaks[1].translated, 1000U);
  EXPECT_EQ(sink.leaks[1].tunnel, "cloud");
  EXPECT_EQ(sink.leaks[1].interface, 5U);
  EXPECT_TRUE(sink.leaks[1].carries_outer);
  EXPECT_EQ(sink.leaks[1].source, address("192.0.2.10"));
  EXPECT_EQ(sink.leaks[1].destination, address("10.2.0.7"));
  EXPECT_EQ(sink.leaks[1].first, kStart);
}

TEST_F(LeakTest, FromTheLocalSubnetNothingIsTranslated) {
  feed_many(leaving(tcp_packet("10.1.0.9", "10.2.0.7")));
  ASSERT_FALSE(sink.leaks.empty());
  EXPECT_EQ(sink.leaks.back().packets, 10U);
  EXPECT_EQ(sink.leaks.back().translated, 0U);
  EXPECT_FALSE(sink.leaks.back().carries_outer) << "neither IKE nor ESP of the peer was seen here";
}

TEST_F(LeakTest, EspShowsThatTheInterfaceCarriesTheTunnel) {
  feed(leaving(ipv4({.protocol = 50}, esp(0x1000, 1))), kStart - seconds(2));
  feed(leaving(ipv4({.protocol = 50}, esp(0x1000, 2))), kStart - milliseconds(900));
  feed_many(leaving(tcp_packet("10.1.0.9", "10.2.0.7")));
  ASSERT_FALSE(sink.leaks.empty());
  EXPECT_TRUE(sink.leaks.back().carries_outer);
}

TEST_F(LeakTest, WhatTheKernelDecryptedArrivesASecondTime) {
  feed_many(arriving(tcp_packet("10.2.0.7", "10.1.0.9")));
  EXPECT_TRUE(sink.leaks.empty());
}

TEST_F(LeakTest, OnALanTrafficTowardsTheTunnelArrivesInClear) {
  feed_many(arriving(tcp_packet("10.1.0.9", "10.2.0.7")));
  EXPECT_TRUE(sink.leaks.empty());
}

TEST_F(LeakTest, ACookedHeaderTellsTheDirectionItself) {
  const auto cooked = [](unsigned type, const Buffer& packet) {
    Buffer b;
    put16(b, type);
    b.resize(14);
    put16(b, 0x0800);
    put(b, packet);
    return b;
  };
  feed_many(cooked(0, tcp_packet("10.1.0.9", "10.2.0.7")), LinkType::sll);
  EXPECT_TRUE(sink.leaks.empty());
  feed_many(cooked(4, tcp_packet("10.1.0.9", "10.2.0.7")), LinkType::sll);
  EXPECT_FALSE(sink.leaks.empty());
}

TEST_F(LeakTest, WithoutALinkHeaderTheAddressesTell) {
  feed_many(tcp_packet("10.2.0.7", "10.1.0.9"), LinkType::raw_ip);
  EXPECT_TRUE(sink.leaks.empty());
  feed_many(tcp_packet("10.1.0.9", "10.2.0.7"), LinkType::raw_ip);
  EXPECT_FALSE(sink.leaks.empty());
}

TEST_F(LeakTest, TheTunnelsOwnInterfaceCarriesClearPacketsByRight) {
  PacketFrontOptions inside;
  inside.inside = true;
  PacketFront own(sink, inside);
  own.set_interest(interest());
  const Buffer packet = tcp_packet("10.1.0.9", "10.2.0.7");
  for (int i = 0; i < 10; ++i) {
    own.on_frame(LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()), kStart + milliseconds(100 * i));
  }
  own.on_tick(kStart + seconds(3));
  EXPECT_TRUE(sink.leaks.empty());
}

TEST_F(LeakTest, StrangersAndOtherSubnetsAreNone) {
  feed_many(leaving(tcp_packet("10.9.0.1", "10.2.0.7")));  // no source of this tunnel
  feed_many(leaving(tcp_packet("10.1.0.9", "10.2.1.7")));  // no destination of it
  feed_many(leaving(tcp_packet("10.1.0.9", "192.0.2.77")));
  EXPECT_TRUE(sink.leaks.empty());
}

TEST_F(LeakTest, TheAgentsOwnPingsFromOutsideTheSubnetsAreNone) {
  feed_many(leaving(ping("192.0.2.10", "10.2.0.7", 77)));
  EXPECT_TRUE(sink.leaks.empty());
  feed_many(leaving(ping("192.0.2.10", "10.2.0.7", 78)));
  EXPECT_FALSE(sink.leaks.empty());
}

TEST_F(LeakTest, TheAgentsOwnPingsFromTheLocalSubnetBelongInside) {
  feed_many(leaving(ping("10.1.0.1", "10.2.0.7", 77)));
  EXPECT_FALSE(sink.leaks.empty());
}

TEST_F(LeakTest, Ipv6) {
  feed_many(leaving(ipv6({.source = "fd01::9", .destination = "fd02::7", .next = 6}, filler(40))));
  ASSERT_FALSE(sink.leaks.empty());
  EXPECT_EQ(sink.leaks.back().destination, address("fd02::7"));
}

TEST_F(LeakTest, ThePeerItselfMayLieInItsSubnets) {
  auto i = interest();
  i.tunnels[0].remote_subnets.push_back(prefix("198.51.100.0/24"));
  front.set_interest(i);
  feed_many(leaving(ping("192.0.2.10", "198.51.100.20", 1)));
  EXPECT_TRUE(sink.leaks.empty());
  feed_many(leaving(ping("192.0.2.10", "198.51.100.21", 1)));
  EXPECT_FALSE(sink.leaks.empty());
}

TEST_F(LeakTest, EverythingAsRemoteSubnetTellsNothing) {
  auto i = interest();
  i.tunnels[0].remote_subnets = {prefix("0.0.0.0/0")};
  front.set_interest(i);
  feed_many(leaving(tcp_packet("10.1.0.9", "8.8.8.8")));
  EXPECT_TRUE(sink.leaks.empty());
}

TEST_F(LeakTest, TheNarrowestSubnetWhoseTunnelHasTheSourceIsMeant) {
  auto i = interest();
  i.tunnels.push_back({.tunnel = "wide",
                       .remote = address("198.51.100.30"),
                       .local_subnets = {prefix("10.3.0.0/24")},
                       .remote_subnets = {prefix("10.0.0.0/8")}});
  front.set_interest(i);
  feed_many(leaving(tcp_packet("10.3.0.9", "10.2.0.7")));
  ASSERT_FALSE(sink.leaks.empty());
  for (const auto& leak : sink.leaks) EXPECT_EQ(leak.tunnel, "wide");
  sink.leaks.clear();
  feed_many(leaving(tcp_packet("10.1.0.9", "10.2.0.7")));
  for (const auto& leak : sink.leaks) EXPECT_EQ(leak.tunnel, "cloud");
}

TEST_F(LeakTest, APauseEndsTheRunAndAReloadDoesNot) {
  for (int n = 0; n < 4; ++n) feed(leaving(tcp_packet("10.1.0.9", "10.2.0.7")), kStart + seconds(n));
  front.set_interest(interest());
  feed(leaving(tcp_packet("10.1.0.9", "10.2.0.7")), kStart + seconds(4));
  front.on_tick(kStart + seconds(6));
  EXPECT_EQ(sink.leaks.back().packets, 5U);
  feed(leaving(tcp_packet("10.1.0.9", "10.2.0.7")), kStart + seconds(20));
  front.on_tick(kStart + seconds(22));
  EXPECT_EQ(sink.leaks.back().packets, 1U);
  EXPECT_EQ(sink.leaks.back().first, kStart + seconds(20));
}

TEST(LeakTracker, WithoutInterestNothingIsLookedFor) {
  LeakSink sink;
  PacketFront front(sink);
  const Buffer frame = leaving(tcp_packet("10.1.0.9", "10.2.0.7"));
  for (int i = 0; i < 10; ++i)
    front.on_frame(LinkType::ethernet, frame, static_cast<std::uint32_t>(frame.size()), kStart + seconds(i));
  EXPECT_TRUE(sink.leaks.empty());
}

}  // namespace
}  // namespace tunnelwatch::passive
