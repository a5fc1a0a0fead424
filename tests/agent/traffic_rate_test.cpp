#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// gateway_bandwidth_exceeded: the tunnel near what the cloud's gateway is sized for, and losing.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using test::TrafficScript;
using From = TrafficScript::From;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const char* const kCause = "gateway_bandwidth_exceeded";

config::Tunnel sized(std::uint64_t bits) {
  auto t = TrafficScript::tunnel();
  t.bandwidth.gateway = bits;
  return t;
}

// Seconds [from, to) of 1000-byte packets both ways; `lost` of the peer's, `in` and `out` packets a second.
void flow(TrafficScript& s, int from, int to, std::uint64_t out, std::uint64_t in, std::uint64_t lost = 0) {
  for (int second = from; second < to; ++second) {
    s.esp_flow(1000 * second, From::local, out, 0, 1000);
    s.esp_flow(1000 * second + 10, From::remote, in, lost, 1000);
  }
}

TEST(TrafficRate, AFullGatewayThatLoses) {
  TrafficScript s(sized(10'000'000));
  s.up(0);
  flow(s, 1, 10, 100, 1180, 60);
  ASSERT_THAT(s.active(), Contains(kCause));
  EXPECT_EQ(s.active().front(), "gateway_bandwidth_exceeded") << "before the loss that it explains";
  EXPECT_EQ(s.evidence_of(kCause),
            "ESP went in at 9.4 Mbit/s over 6.0 s, 94 % of the 10.0 Mbit/s that the cloud gateway is sized for");
}

TEST(TrafficRate, OutboundIsMeasuredByOurEchoes) {
  TrafficScript s(sized(10'000'000));
  s.up(0);
  flow(s, 1, 10, 1200, 100);
  EXPECT_THAT(s.active(), IsEmpty()) << "well used";
  s.echoes(FactId::inner_loses, true);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
}

TEST(TrafficRate, LossWithoutLoadIsAnothers) {
  TrafficScript s(sized(20'000'000));
  s.up(0);
  flow(s, 1, 10, 100, 1180, 60);
  EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
}

TEST(TrafficRate, WithoutTheConfiguredSizeNothingIsCompared) {
  TrafficScript s;
  s.up(0);
  flow(s, 1, 10, 100, 100'000, 6000);
  EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
}

TEST(TrafficRate, ABurstOfASecondIsNoRate) {
  TrafficScript s(sized(10'000'000));
  s.up(0);
  s.echoes(FactId::inner_loses, true);
  flow(s, 1, 3, 10, 3000);
  EXPECT_THAT(s.active(), Not(Contains(kCause))) << "two counts";
  s.pass(20'000);
  flow(s, 21, 24, 10, 100);
  flow(s, 24, 25, 10, 3000);
  EXPECT_THAT(s.active(), Not(Contains(kCause)));
}

TEST(TrafficRate, ItEndsWithTheLoad) {
  TrafficScript s(sized(10'000'000));
  s.up(0);
  s.echoes(FactId::inner_loses, true);
  flow(s, 1, 10, 100, 1180);
  ASSERT_THAT(s.active(), Contains(kCause));
  flow(s, 10, 20, 100, 1050);
  EXPECT_THAT(s.active(), Contains(kCause)) << "84 %: neither";
  flow(s, 20, 30, 100, 700);
  EXPECT_THAT(s.active(), Not(Contains(kCause)));
  flow(s, 30, 40, 100, 1180);
  ASSERT_THAT(s.active(), Contains(kCause));
  s.pass(50'000);
  EXPECT_THAT(s.active(), Not(Contains(kCause))) << "no traffic at all";
}

TEST(TrafficRate, AStreamWithALifeBeforeThisTunnelBeginsAtNought) {
  TrafficScript s(sized(10'000'000));
  s.up(0);
  s.echoes(FactId::inner_loses, true);
  flow(s, 1, 4, 10, 10);
  passive::EspStreamSummary old;
  old.source = TrafficScript::kRemote;
  old.destination = TrafficScript::kLocal;
  old.spi = 0x7000;
  old.live = true;
  old.packets = 10'000'000;
  old.lost = 1'000'000;
  old.bytes = 10'000'000'000;
  old.first = s.now() - std::chrono::hours(1);
  for (int second = 4; second < 8; ++second) {
    s.pass(1000 * second);
    old.packets += 100;
    old.bytes += 100'000;
    old.last = s.now();
    s.watch().on_esp(old);
    s.watch().settle(s.now());
  }
  EXPECT_THAT(s.active(), Not(Contains(kCause)));
  EXPECT_FALSE(s.is(FactId::esp_in_loses));
}

}  // namespace
}  // namespace tunnelwatch
