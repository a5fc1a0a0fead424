#include "probes/passive/packet_front.h"

#include "tests/probes/wire/frame_builder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Datagram;
using wire::DatagramKind;
using wire::LinkType;

const TimePoint kStart{seconds(1000)};

struct RecordingSink final : PacketSink {
  std::vector<std::string> calls;
  std::vector<wire::LinkDirection> directions;  // of IKE
  std::vector<EspStreamSummary> streams;
  std::vector<FragmentEvent> fragments;

  void on_ike(const Datagram& ike, TimePoint, bool reassembled) override {
    calls.push_back("ike " + std::to_string(ike.payload.size()) + (reassembled ? " reassembled" : ""));
    directions.push_back(ike.link_direction);
  }
  void on_icmp_error(const Datagram& error, const Datagram& quoted, TimePoint) override {
    calls.push_back("icmp " + std::to_string(error.icmp_type) + "/" + std::to_string(error.icmp_code) + " of " +
                    std::to_string(static_cast<int>(quoted.kind)) + " to " + quoted.destination.to_string());
  }
  void on_nat_keepalive(const Datagram&, TimePoint) override { calls.push_back("keepalive"); }
  void on_esp(const EspStreamSummary& stream) override { streams.push_back(stream); }
  void on_fragments(const FragmentEvent& event) override { fragments.push_back(event); }
};

class PacketFrontTest : public testing::Test {
 protected:
  void feed(const Buffer& packet, TimePoint at = kStart) {
    const Buffer frame = ethernet(packet);
    front.on_frame(LinkType::ethernet, frame, static_cast<std::uint32_t>(frame.size()), at);
  }

  RecordingSink sink;
  PacketFront front{sink};
};

TEST_F(PacketFrontTest, HandsOverWhatIsOurs) {
  feed(ipv4({}, udp(500, 500, isakmp(72))));
  feed(ipv4({}, udp(4500, 4500, {0xff})));
  feed(ipv4({.protocol = 1}, icmp(3, 13, 0, ipv4({}, udp(500, 500, isakmp())))));
  feed(ipv4({.protocol = 1}, icmp(3, 4, 1400, ipv4({.protocol = 50}, esp(0x1000, 1)))));
  feed(ipv4({.protocol = 1}, icmp(3, 3, 0, ipv4({}, udp(40000, 53, filler(20))))));  // of no interest
  feed(ipv4({.protocol = 1}, icmp(8, 0, 1, filler(56))));
  feed(ipv4({.protocol = 6}, filler(40)));
  feed(ipv4({.protocol = 51}, filler(64)));  // counted, and of no interest
  EXPECT_EQ(sink.calls, (std::vector<std::string>{"ike 100", "keepalive", "icmp 3/13 of 0 to 198.51.100.20",
                                                  "icmp 3/4 of 1 to 198.51.100.20"}));
  EXPECT_EQ(front.counters().frames, 8U);
  EXPECT_EQ(front.counters().of(DatagramKind::ah), 1U);
  EXPECT_EQ(front.counters().of(DatagramKind::ike), 1U);
  EXPECT_EQ(front.counters().of(DatagramKind::icmp_error), 3U);
  EXPECT_EQ(front.counters().of(DatagramKind::other), 1U);
  EXPECT_EQ(front.counters().malformed_total(), 0U);
}

TEST_F(PacketFrontTest, ADirectionIsTheLinkLayersOrElseTheCaptures) {
  using wire::LinkDirection;
  const Buffer ike = ipv4({}, udp(500, 500, isakmp()));
  const Buffer cooked_in = joined({Buffer(14), {0x08, 0x00}, ike});  // packet type 0 of SLL: to us
  const auto feed_noted = [this](LinkType link, const Buffer& frame, LinkDirection noted) {
    front.on_frame(link, frame, static_cast<std::uint32_t>(frame.size()), kStart, noted);
  };
  feed(ike);
  feed_noted(LinkType::ethernet, ethernet(ike), LinkDirection::in);
  feed_noted(LinkType::ethernet, ethernet(ike), LinkDirection::out);
  feed_noted(LinkType::sll, cooked_in, LinkDirection::out);
  EXPECT_EQ(sink.directions,
            (std::vector{LinkDirection::unknown, LinkDirection::in, LinkDirection::out, LinkDirection::in}));
}

TEST_F(PacketFrontTest, MalformedIsCountedByReason) {
  Buffer lie = ipv4({}, udp(500, 500, isakmp()));
  lie[24] = 0x20;
  feed(lie);
  feed(ipv4({.protocol = 1}, icmp(3, 3, 0, {0x45, 0, 0})));  // quotes nothing that can be read
  EXPECT_EQ(front.counters().of(wire::ParseError::bad_length), 1U);
  EXPECT_EQ(front.counters().of(wire::ParseError::truncated), 1U);
  EXPECT_EQ(front.counters().malformed_total(), 2U);
  EXPECT_TRUE(sink.calls.empty());
}

TEST_F(PacketFrontTest, ANewEspStreamIsToldAtOnceAndThenOnceASecond) {
  for (std::uint32_t n = 1; n <= 3000; ++n) feed(ipv4({.protocol = 50}, esp(0x1000, n)), kStart + milliseconds(n));
  ASSERT_EQ(sink.streams.size(), 3U);
  EXPECT_EQ(sink.streams[0].packets, 1U);
  EXPECT_EQ(sink.streams[1].packets, 1000U);
  EXPECT_EQ(sink.streams[2].packets, 2000U);
  front.finish();
  EXPECT_EQ(sink.streams.back().packets, 3000U);
  EXPECT_EQ(sink.streams.back().lost, 0U);
}

TEST_F(PacketFrontTest, TicksDoTheSameWithoutPackets) {
  feed(ipv4({.protocol = 50}, esp(0x1000, 1)));
  front.on_tick(kStart + milliseconds(500));
  EXPECT_EQ(sink.streams.size(), 1U);
  front.on_tick(kStart + milliseconds(1100));
  EXPECT_EQ(sink.streams.size(), 2U);
}

TEST_F(PacketFrontTest, AFloodOfNewStreamsIsAnnouncedWithinBounds) {
  for (std::uint32_t n = 0; n < 10'000; ++n) feed(ipv4({.protocol = 50}, esp(0x1000 + n, 1)));
  EXPECT_EQ(sink.streams.size(), 64U);
}

TEST_F(PacketFrontTest, IkeInFragmentsComesWhole) {
  const Buffer payload = udp(500, 500, isakmp(2000));
  feed(ipv4_piece({}, payload, 0, 1480));
  EXPECT_TRUE(sink.calls.empty());
  feed(ipv4_piece({}, payload, 1480, payload.size() - 1480));
  EXPECT_EQ(sink.calls, std::vector<std::string>{"ike 2028 reassembled"});
  ASSERT_EQ(sink.fragments.size(), 1U);
  EXPECT_EQ(sink.fragments[0].kind, FragmentEventKind::completed);
}

TEST_F(PacketFrontTest, ALostFragmentIsToldByPacketTime) {
  const Buffer payload = udp(500, 500, isakmp(2000));
  feed(ipv4_piece({}, payload, 0, 1480));
  feed(ipv4({}, udp(500, 500, isakmp())), kStart + seconds(31));
  ASSERT_EQ(sink.fragments.size(), 1U);
  EXPECT_EQ(sink.fragments[0].kind, FragmentEventKind::timed_out);
}

TEST_F(PacketFrontTest, AtTheEndATrainOfTwoSecondsHasTimedOutAndAYoungerOneHasNot) {
  const Buffer payload = udp(500, 500, isakmp(2000));
  feed(ipv4_piece({.id = 1}, payload, 0, 1480));
  feed(ipv4_piece({.id = 2}, payload, 0, 1480), kStart + milliseconds(100));
  feed(ipv4({.protocol = 6}, filler(40)), kStart + seconds(2));
  EXPECT_TRUE(sink.fragments.empty());
  front.finish();
  ASSERT_EQ(sink.fragments.size(), 1U);
  EXPECT_EQ(sink.fragments[0].id, 1U);
}

TEST_F(PacketFrontTest, EspInFragmentsIsAPacketOfItsStream) {
  for (std::uint32_t n = 1; n <= 20; ++n) {
    const Buffer plain = esp(0x1000, n, 1600);
    feed(ipv4_piece({.protocol = 50, .id = n}, plain, 0, 1480));
    feed(ipv4_piece({.protocol = 50, .id = n}, plain, 1480, plain.size() - 1480));
    const Buffer in_udp = udp(4500, 4500, esp(0x2000, n, 1600));
    feed(ipv4_piece({.id = n + 100}, in_udp, 0, 1480));
    feed(ipv4_piece({.id = n + 100}, in_udp, 1480, in_udp.size() - 1480));
  }
  front.finish();
  EXPECT_TRUE(sink.fragments.empty());
  EXPECT_EQ(front.counters().esp_fragments, 60U);  // later fragments in UDP cannot be told
  ASSERT_GE(sink.streams.size(), 2U);
  for (auto last = sink.streams.end() - 2; last != sink.streams.end(); ++last) {
    EXPECT_EQ(last->packets, 20U);
    EXPECT_EQ(last->lost, 0U);
    EXPECT_EQ(last->in_udp, last->spi == 0x2000);
  }
}

TEST_F(PacketFrontTest, ACaptureGapIsNoLoss) {
  for (std::uint32_t n = 1; n <= 100; ++n) feed(ipv4({.protocol = 50}, esp(0x1000, n)), kStart + milliseconds(n));
  front.on_capture_gap(kStart + milliseconds(100));
  for (std::uint32_t n = 500; n <= 600; ++n) feed(ipv4({.protocol = 50}, esp(0x1000, n)), kStart + milliseconds(n));
  front.finish();
  EXPECT_EQ(sink.streams.back().lost, 0U);
}

}  // namespace
}  // namespace tunnelwatch::passive
