#include "probes/passive/outer_paths.h"

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

struct PathSink final : test::SilentPacketSink {
  std::vector<OuterPathSummary> paths;
  void on_outer_path(const OuterPathSummary& path) override { paths.push_back(path); }
};

class OuterPathsTest : public testing::Test {
 protected:
  OuterPathsTest() : front(sink, options()) {
    front.set_interest(
        {.tunnels = {{.tunnel = "cloud", .local = address("192.0.2.10"), .remote = address("198.51.100.20")}},
         .own_addresses = {},
         .own_echo_id = {}});
    front.on_tick(kStart);
  }
  static PacketFrontOptions options() {
    PacketFrontOptions o;
    o.interface = 4;
    return o;
  }
  void feed(const Buffer& packet, int ms) {
    const Buffer frame = ethernet(packet);
    front.on_frame(wire::LinkType::ethernet, frame, static_cast<std::uint32_t>(frame.size()),
                   kStart + milliseconds(ms));
  }
  PathSink sink;
  PacketFront front;
};

TEST_F(OuterPathsTest, IkeAndEspOfBothDirections) {
  feed(ipv4({}, udp(500, 500, isakmp())), 100);
  feed(ipv4({.source = "198.51.100.20", .destination = "192.0.2.10", .protocol = 50}, esp(0x2000, 1)), 200);
  front.on_tick(kStart + milliseconds(1100));
  ASSERT_EQ(sink.paths.size(), 1U);
  EXPECT_EQ(sink.paths[0].tunnel, "cloud");
  EXPECT_EQ(sink.paths[0].interface, 4U);
  EXPECT_EQ(sink.paths[0].out, kStart + milliseconds(100));
  EXPECT_EQ(sink.paths[0].in, kStart + milliseconds(200));
  front.on_tick(kStart + milliseconds(3000));
  front.on_tick(kStart + milliseconds(5000));
  for (const auto& path : sink.paths) EXPECT_EQ(path.out, kStart + milliseconds(100)) << "nothing new";
}

TEST_F(OuterPathsTest, AnotherSourceIsStillThisTunnelsPacket) {
  feed(ipv4({.source = "203.0.113.9"}, udp(500, 500, isakmp())), 100);
  front.on_tick(kStart + milliseconds(1100));
  ASSERT_EQ(sink.paths.size(), 1U);
  EXPECT_FALSE(sink.paths[0].in);
}

TEST_F(OuterPathsTest, StrangersAreNone) {
  feed(ipv4({.source = "203.0.113.9", .destination = "203.0.113.10"}, udp(500, 500, isakmp())), 100);
  feed(ipv4({.protocol = 6}, filler(40)), 100);
  front.on_tick(kStart + milliseconds(1100));
  EXPECT_TRUE(sink.paths.empty());
}

TEST_F(OuterPathsTest, TunnelsToOnePeerAreToldApartByThisEnd) {
  front.set_interest({.tunnels = {{.tunnel = "a", .local = address("192.0.2.10"), .remote = address("198.51.100.20")},
                                  {.tunnel = "b", .local = address("192.0.2.11"), .remote = address("198.51.100.20")}},
                      .own_addresses = {},
                      .own_echo_id = {}});
  feed(ipv4({.source = "192.0.2.11"}, udp(500, 500, isakmp())), 100);
  front.on_tick(kStart + milliseconds(1100));
  ASSERT_EQ(sink.paths.size(), 1U);
  EXPECT_EQ(sink.paths[0].tunnel, "b");
}

}  // namespace
}  // namespace tunnelwatch::passive
