#include "probes/passive/tunnel_pings.h"

#include "probes/passive/packet_front.h"
#include "tests/probes/wire/frame_builder.h"
#include "tests/support/silent_packet_sink.h"

#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart{seconds(1000)};

struct PingSink final : test::SilentPacketSink {
  std::vector<TunnelPingSummary> told;
  void on_tunnel_pings(const TunnelPingSummary& pings) override { told.push_back(pings); }
};

class TunnelPingsTest : public testing::Test {
 protected:
  TunnelPingsTest() : front(sink, options()) {
    front.set_interest(interest());
    front.on_tick(kStart);
  }
  static TrafficInterest interest() {
    TrafficInterest i;
    i.tunnels.push_back({.tunnel = "cloud", .local_address = address("169.254.70.2")});
    i.tunnels.push_back({.tunnel = "other", .local_address = address("fe80::2")});
    return i;
  }
  static PacketFrontOptions options() {
    PacketFrontOptions o;
    o.interface = 9;
    o.inside = true;
    return o;
  }
  void feed(const Buffer& packet, int ms) {
    front.on_frame(wire::LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()),
                   kStart + milliseconds(ms));
  }
  void ask(unsigned sequence, int ms, const char* to = "169.254.70.2", unsigned id = 7) {
    feed(ipv4({.source = "169.254.70.1", .destination = to, .protocol = 1}, icmp(8, 0, id << 16 | sequence, filler(8))),
         ms);
  }
  void answer(unsigned sequence, int ms, unsigned id = 7) {
    feed(ipv4({.source = "169.254.70.2", .destination = "169.254.70.1", .protocol = 1},
              icmp(0, 0, id << 16 | sequence, filler(8))),
         ms);
  }
  PingSink sink;
  PacketFront front;
};

TEST_F(TunnelPingsTest, AnsweredOnes) {
  for (unsigned n = 0; n < 4; ++n) {
    ask(n, static_cast<int>(500 * n));
    answer(n, static_cast<int>(500 * n + 3));
  }
  front.on_tick(kStart + seconds(4));
  ASSERT_FALSE(sink.told.empty());
  const auto& last = sink.told.back();
  EXPECT_EQ(last.tunnel, "cloud");
  EXPECT_EQ(last.interface, 9U);
  EXPECT_TRUE(last.inside);
  EXPECT_EQ(last.requests, 4U);
  EXPECT_EQ(last.answered, 4U);
  EXPECT_EQ(last.unanswered_in_a_row, 0U);
  EXPECT_EQ(last.from, address("169.254.70.1"));
}

TEST_F(TunnelPingsTest, ARowOfUnansweredOnesIsToldWhenTheirTimeIsOver) {
  ask(0, 0);
  answer(0, 1);
  for (unsigned n = 1; n <= 4; ++n) ask(n, static_cast<int>(500 * n));
  front.on_tick(kStart + milliseconds(2700));
  EXPECT_EQ(sink.told.back().unanswered_in_a_row, 2U) << "two may still be answered";
  EXPECT_EQ(sink.told.back().row_since, kStart + milliseconds(500));
  front.on_tick(kStart + milliseconds(4000));
  EXPECT_EQ(sink.told.back().unanswered_in_a_row, 4U);
  ask(5, 4100);
  answer(5, 4101);
  front.on_tick(kStart + milliseconds(5200));
  EXPECT_EQ(sink.told.back().unanswered_in_a_row, 0U);
  EXPECT_EQ(sink.told.back().answered, 2U);
}

TEST_F(TunnelPingsTest, OnlyTheRightAnswerCounts) {
  ask(1, 0);
  answer(2, 1);
  answer(1, 2, 8);
  feed(ipv4({.source = "169.254.70.9", .destination = "169.254.70.1", .protocol = 1},
            icmp(0, 0, 7U << 16 | 1U, filler(8))),
       3);
  front.on_tick(kStart + seconds(2));
  EXPECT_EQ(sink.told.back().answered, 0U);
  EXPECT_EQ(sink.told.back().unanswered_in_a_row, 1U);
}

TEST_F(TunnelPingsTest, OtherAddressesAndOurOwnPingsAreNone) {
  ask(1, 0, "169.254.70.3");
  feed(ipv4({.source = "169.254.70.2", .destination = "169.254.70.1", .protocol = 1}, icmp(8, 0, 1, filler(8))), 1);
  feed(ipv4({.source = "169.254.70.1", .destination = "169.254.70.2", .protocol = 1}, icmp(0, 0, 1, filler(8))), 2);
  front.on_tick(kStart + seconds(3));
  EXPECT_TRUE(sink.told.empty());
}

TEST_F(TunnelPingsTest, Ipv6) {
  feed(ipv6({.source = "fe80::1", .destination = "fe80::2", .next = 58}, icmp(128, 0, 5, filler(8))), 0);
  feed(ipv6({.source = "fe80::2", .destination = "fe80::1", .next = 58}, icmp(129, 0, 5, filler(8))), 1);
  front.on_tick(kStart + seconds(2));
  ASSERT_EQ(sink.told.size(), 1U);
  EXPECT_EQ(sink.told[0].tunnel, "other");
  EXPECT_EQ(sink.told[0].answered, 1U);
}

TEST_F(TunnelPingsTest, AFloodIsBoundedAndAReloadKeepsTheCount) {
  for (unsigned n = 0; n < 1000; ++n) ask(n & 0xffff, 1);
  front.on_tick(kStart + milliseconds(1500));
  EXPECT_EQ(sink.told.back().requests, 1000U);
  EXPECT_EQ(sink.told.back().unanswered_in_a_row, TunnelPings::kPending);
  front.set_interest(interest());
  ask(1001, 1600);
  front.on_tick(kStart + milliseconds(3000));
  EXPECT_EQ(sink.told.back().requests, 1001U);
}

}  // namespace
}  // namespace tunnelwatch::passive
