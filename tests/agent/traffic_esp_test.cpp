#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What the sequence numbers of ESP tell of loss, and what only looks like it.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using test::TrafficScript;
using From = TrafficScript::From;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TrafficEsp, InboundGapsAloneAreLossInsideTheTunnelOrOnItsPath) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 6, 100, 5);
  EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
  EXPECT_EQ(s.confidence_of("tunnel_only_loss"), "possible") << "nobody asked the path outside";
  EXPECT_THAT(s.evidence_of("tunnel_only_loss"),
              HasSubstr("25 of the peer's 500 ESP packets never came, by their sequence numbers (5.0 %, between"));
  s.echoes(FactId::gateway_loses, false);
  EXPECT_EQ(s.confidence_of("tunnel_only_loss"), "likely");
}

TEST(TrafficEsp, LossEndsWhereItLeavesTheWindow) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 6, 100, 5);
  ASSERT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
  s.both_ways(6, 40, 100, 0);
  EXPECT_THAT(s.active(), IsEmpty()) << "25 of 4000: below the ratio that clears";
}

TEST(TrafficEsp, LossLeavesTheWindowByAge) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 6, 100, 5);
  s.both_ways(6, 60, 3, 0);
  EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
  s.both_ways(60, 70, 3, 0);
  EXPECT_THAT(s.active(), IsEmpty()) << "25 of 650 since the beginning, none of 180 in the last minute";
}

TEST(TrafficEsp, AFewMissingOnesAreChance) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 2, 20, 2);
  EXPECT_THAT(s.active(), IsEmpty()) << "two, whatever the ratio";
  TrafficScript many;
  many.up(0);
  many.both_ways(1, 10, 300, 5);
  EXPECT_THAT(many.active(), IsEmpty()) << "45 of 2700 may be less than 2 %";
}

TEST(TrafficEsp, LossOnThePathAgreesWithTheEchoes) {
  TrafficScript s;
  s.up(0);
  s.echoes(FactId::references_lose, false);
  s.echoes(FactId::gateway_loses, true);
  s.both_ways(1, 6, 100, 5);
  EXPECT_THAT(s.active(), ElementsAre("peer_path_loss"));
  const auto* cause = s.subject().verdict().best();
  ASSERT_EQ(cause->evidence.size(), 2U);
  EXPECT_THAT(cause->evidence[1].en, HasSubstr("25 of the peer's 500 ESP packets"));
}

TEST(TrafficEsp, OurOwnGapsAreTheCapturesAndExcuseThePeers) {
  TrafficScript s;
  s.up(0);
  for (int i = 1; i < 8; ++i) {
    s.esp_flow(1000 * i, From::local, 95, 5);
    s.esp_flow(1000 * i + 10, From::remote, 95, 5);
  }
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_TRUE(s.is(FactId::capture_loses));
  EXPECT_FALSE(s.is(FactId::esp_in_loses));
  EXPECT_THAT(s.subject().evidence().facts()[FactId::capture_loses].evidence.en,
              HasSubstr("the capture missed 35 of 700 ESP packets that this gateway itself sent (5.0 %)"));
}

TEST(TrafficEsp, FarMoreThanTheCaptureLosesIsTheNetworks) {
  TrafficScript s;
  s.up(0);
  for (int i = 1; i < 8; ++i) {
    s.esp_flow(1000 * i, From::local, 95, 5);
    s.esp_flow(1000 * i + 10, From::remote, 60, 40);
  }
  EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss"));
}

TEST(TrafficEsp, AnOutageThatEndedIsNoLoss) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 6, 100, 0);
  for (int i = 6; i < 12; ++i) s.esp_flow(1000 * i, From::local, 100);
  // The numbers of six silent seconds are told missing some time after it goes on.
  s.esp_flow(12'000, From::local, 100);
  s.esp_flow(12'010, From::remote, 50, 0);
  s.esp_flow(13'010, From::remote, 100, 600);
  s.both_ways(14, 20, 100, 0);
  EXPECT_THAT(s.active(), testing::Not(Contains("tunnel_only_loss")));
  EXPECT_THAT(s.cleared(), testing::Not(Contains("tunnel_only_loss")));
}

TEST(TrafficEsp, OneSaOverTwoInterfacesHasGapsOnEach) {
  TrafficScript s;
  s.up(0);
  for (int i = 1; i < 10; ++i) {
    for (const auto interface : {TrafficScript::kWan, TrafficScript::kOtherWan}) {
      s.esp_flow(1000 * i, From::local, 50, 50, 100, interface);
      s.esp_flow(1000 * i + 10, From::remote, 50, 50, 100, interface);
    }
  }
  EXPECT_FALSE(s.is(FactId::esp_in_loses));
  EXPECT_FALSE(s.is(FactId::capture_loses));
}

TEST(TrafficEsp, BothWaysOneWayAndNothing) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 4, 5);
  EXPECT_TRUE(s.is(FactId::esp_both_ways));
  for (int i = 4; i < 9; ++i) s.esp_flow(1000 * i, From::local, 5);
  EXPECT_TRUE(s.is_not(FactId::esp_both_ways));
  s.both_ways(9, 11, 5);
  EXPECT_TRUE(s.is(FactId::esp_both_ways));
  s.pass(30'000);
  EXPECT_FALSE(s.is(FactId::esp_both_ways)) << "nobody sends: nothing is known";
  EXPECT_FALSE(s.is_not(FactId::esp_both_ways));
}

}  // namespace
}  // namespace tunnelwatch
