#include "probes/passive/bgp_sessions.h"

#include "probes/passive/packet_front.h"
#include "tests/support/bgp_bytes.h"
#include "tests/support/silent_packet_sink.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using namespace test;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct BgpSink final : test::SilentPacketSink {
  std::vector<std::string> said;
  void on_bgp(const BgpObservation& o) override {
    std::string text = o.speaker == address("10.0.0.1") ? "A" : "B";
    text += o.sight == BgpSight::open ? " open" : o.sight == BgpSight::accepted ? " accepts" : " refuses";
    text += " as " + std::to_string(o.as_number) + " other " + std::to_string(o.other_as);
    if (o.sight == BgpSight::refused) text += " " + std::to_string(o.code) + "/" + std::to_string(o.subcode);
    said.push_back(text);
  }
};

// A (10.0.0.1:40000) speaks to B (10.0.0.2:179).
class BgpTest : public testing::Test {
 protected:
  void a(std::uint32_t sequence, const Buffer& payload, unsigned flags = 0x10) {
    feed("10.0.0.1", "10.0.0.2",
         tcp({.source = port, .destination = 179, .sequence = sequence, .flags = flags}, payload));
  }
  void b(std::uint32_t sequence, const Buffer& payload, unsigned flags = 0x10) {
    feed("10.0.0.2", "10.0.0.1",
         tcp({.source = 179, .destination = port, .sequence = sequence, .flags = flags}, payload));
  }
  void feed(std::string_view from, std::string_view to, const Buffer& segment) {
    const Buffer packet = ipv4({.source = from, .destination = to, .protocol = 6}, segment);
    at += milliseconds(1);
    front.on_frame(wire::LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()), at);
  }
  void handshake(std::uint32_t from_a = 100, std::uint32_t from_b = 900) {
    a(from_a - 1, {}, 0x02);
    b(from_b - 1, {}, 0x12);
    a(from_a, {});
  }

  unsigned port = 40000;
  TimePoint at{std::chrono::seconds(1000)};
  BgpSink sink;
  PacketFront front{sink};
};

const std::vector<std::string> kWell{"A open as 65001 other 0", "B open as 64512 other 65001",
                                     "A accepts as 65001 other 64512", "B accepts as 64512 other 65001"};

TEST_F(BgpTest, ASessionThatStands) {
  handshake();
  a(100, bgp_open(65001));
  b(900, bgp_open(64512));
  a(100 + 45, {});
  const auto after = static_cast<std::uint32_t>(bgp_open(65001).size());
  a(100 + after, bgp_keepalive());
  b(900 + after, bgp_keepalive());
  a(100 + after + 19, bgp_message(2, filler(30)));
  EXPECT_EQ(sink.said, kWell);
}

TEST_F(BgpTest, ARefusalAfterTheOpens) {
  handshake();
  a(100, bgp_open(4200000001));
  b(900, joined({bgp_open(64512), bgp_notification(2, 2)}), 0x19);
  EXPECT_THAT(sink.said, ElementsAre("A open as 4200000001 other 0", "B open as 64512 other 4200000001",
                                     "B refuses as 64512 other 4200000001 2/2"));
}

TEST_F(BgpTest, InPiecesOfAnySize) {
  const Buffer mine = joined({bgp_open(65001), bgp_keepalive()});
  const Buffer theirs = joined({bgp_open(64512), bgp_keepalive()});
  for (std::size_t piece = 1; piece < mine.size(); ++piece) {
    SCOPED_TRACE(piece);
    sink.said.clear();
    ++port;
    handshake();
    for (std::size_t from = 0; from < mine.size(); from += piece) {
      const auto part = [&](const Buffer& all) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
        return Buffer(begin, begin + static_cast<std::ptrdiff_t>(std::min(piece, all.size() - from)));
      };
      a(100 + static_cast<std::uint32_t>(from), part(mine));
      b(900 + static_cast<std::uint32_t>(from), part(theirs));
    }
    EXPECT_EQ(sink.said.size(), 4U);
  }
}

TEST_F(BgpTest, WhatIsRepeatedIsReadOnce) {
  handshake();
  const Buffer mine = joined({bgp_open(65001), bgp_keepalive()});
  const auto open = static_cast<std::uint32_t>(bgp_open(65001).size());
  a(100, bgp_open(65001));
  a(100, bgp_open(65001));
  a(100, mine);  // the old and the new in one segment
  a(100 + open, bgp_keepalive());
  a(100 + 5, Buffer(mine.begin() + 5, mine.end()));
  EXPECT_THAT(sink.said, ElementsAre("A open as 65001 other 0", "A accepts as 65001 other 0"));
}

TEST_F(BgpTest, AGapWaitsForItsRepetition) {
  handshake();
  const auto open = static_cast<std::uint32_t>(bgp_open(65001).size());
  a(100 + open, bgp_keepalive());
  EXPECT_THAT(sink.said, IsEmpty());
  a(100, bgp_open(65001));
  a(100 + open, bgp_keepalive());
  EXPECT_THAT(sink.said, ElementsAre("A open as 65001 other 0", "A accepts as 65001 other 0"));
}

TEST_F(BgpTest, SequenceNumbersWrap) {
  const auto open = static_cast<std::uint32_t>(bgp_open(65001).size());
  handshake(0xfffffff0, 0xffffffff);
  a(0xfffffff0, bgp_open(65001));
  a(0xfffffff0 + open, bgp_keepalive());
  EXPECT_THAT(sink.said, ElementsAre("A open as 65001 other 0", "A accepts as 65001 other 0"));
}

TEST_F(BgpTest, ACaptureThatBeginsInTheMiddleReadsFromAMessage) {
  a(5000, filler(30));  // the rest of something
  a(5030, bgp_open(65001));
  b(7000, bgp_notification(2, 2));
  EXPECT_THAT(sink.said, ElementsAre("A open as 65001 other 0", "B refuses as 0 other 65001 2/2"));
}

TEST_F(BgpTest, ASessionThatStoodBeforeIsOfNoInterest) {
  a(5000, bgp_message(2, filler(30)));
  a(5049, bgp_notification(6, 2));
  b(7000, bgp_keepalive());
  b(7019, bgp_notification(2, 2));
  EXPECT_THAT(sink.said, ElementsAre("B accepts as 0 other 0")) << "up to where each was known to take the other";
}

TEST_F(BgpTest, ANewConnectionBetweenTheSamePorts) {
  handshake();
  a(100, bgp_open(65001));
  b(900, bgp_notification(2, 2));
  handshake(3100, 3900);
  a(3100, bgp_open(65002));
  b(3900, bgp_open(64512));
  EXPECT_THAT(sink.said, ElementsAre("A open as 65001 other 0", "B refuses as 0 other 65001 2/2",
                                     "A open as 65002 other 0", "B open as 64512 other 65002"));
}

TEST_F(BgpTest, OtherPortsAndFragmentsAreNone) {
  feed("10.0.0.1", "10.0.0.2", tcp({.source = 40000, .destination = 80}, bgp_open(65001)));
  const Buffer packet = ipv4({.source = "10.0.0.1", .destination = "10.0.0.2", .protocol = 6, .fragment_word = 0x2000},
                             tcp({}, bgp_open(65001)));
  front.on_frame(wire::LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()), at);
  EXPECT_THAT(sink.said, IsEmpty());
}

TEST(BgpSessions, MemoryIsBoundedWhateverComes) {
  BgpSessions sessions;
  std::vector<BgpObservation> out;
  for (unsigned n = 0; n < 1000; ++n) {
    // Each begins a message of 4096 bytes that never ends.
    Buffer head = bgp_message(2, filler(30));
    head[16] = 0x10;
    head[17] = 0;
    const Buffer segment = tcp({.source = 1000 + n, .sequence = 1}, head);
    wire::Datagram d;
    d.ip_protocol = 6;
    d.source = address("10.0.0.1");
    d.destination = address("10.0.0.2");
    d.payload = segment;
    sessions.on_packet(d, TimePoint{}, out);
  }
  EXPECT_EQ(sessions.size(), BgpSessions::kConnections);
  EXPECT_EQ(sessions.counters().evicted, 1000 - BgpSessions::kConnections);
  EXPECT_TRUE(out.empty());
}

TEST(BgpSessions, NonsenseBehindAMessageIsCountedAndLeft) {
  BgpSessions sessions;
  std::vector<BgpObservation> out;
  const Buffer segment = tcp({}, joined({bgp_open(65001), filler(40), bgp_notification(2, 2)}));
  wire::Datagram d;
  d.ip_protocol = 6;
  d.payload = segment;
  sessions.on_packet(d, TimePoint{}, out);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(sessions.counters().malformed, 1U);
}

}  // namespace
}  // namespace tunnelwatch::passive
