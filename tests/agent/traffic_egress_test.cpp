#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// multi_egress from the wire: by which lines the tunnel's own packets leave and arrive.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint16_t kWan = TrafficScript::kWan;
constexpr std::uint16_t kWan2 = TrafficScript::kOtherWan;

// Which directions an interface carries in one second.
struct Seen {
  std::uint16_t interface;
  bool out;
  bool in;
};

void seconds(TrafficScript& s, int from, int to, std::initializer_list<Seen> seen) {
  for (int second = from; second < to; ++second) {
    s.pass(1000 * second);
    for (const Seen& x : seen) {
      passive::OuterPathSummary path;
      path.tunnel = "cloud";
      path.interface = x.interface;
      if (x.out) path.out = s.now();
      if (x.in) path.in = s.now();
      s.watch().on_outer_path(path);
    }
    s.watch().settle(s.now());
  }
}

TEST(TrafficEgress, OneLineForBothDirections) {
  TrafficScript s;
  seconds(s, 1, 20, {{kWan, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, OutByOneLineAndInByAnother) {
  TrafficScript s;
  seconds(s, 1, 3, {{kWan, false, true}, {kWan2, true, false}});
  EXPECT_THAT(s.active(), IsEmpty()) << "two seconds";
  seconds(s, 3, 6, {{kWan, false, true}, {kWan2, true, false}});
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"), "our IKE and ESP leave by wan2, the peer's arrive on wan");
  seconds(s, 6, 14, {{kWan, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, AnExitThatMovedAloneIsNotSharedOut) {
  TrafficScript s;
  seconds(s, 1, 10, {{kWan, true, true}});
  seconds(s, 10, 13, {{kWan, false, true}, {kWan2, true, false}});
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"), "our IKE and ESP leave by wan2, the peer's arrive on wan");
}

TEST(TrafficEgress, SharedOutOverTwoLines) {
  TrafficScript s;
  seconds(s, 1, 8, {{kWan, true, true}, {kWan2, true, false}});
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"),
            "our IKE and ESP are shared out over wan and wan2, the peer's arrive on wan alone");
}

TEST(TrafficEgress, AVlanAndWhatCarriesItShowTheSamePackets) {
  TrafficScript s;
  seconds(s, 1, 20, {{kWan, true, true}, {kWan2, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, AFailoverIsARepair) {
  TrafficScript s;
  seconds(s, 1, 10, {{kWan, true, true}});
  // The peer's packets follow a second later.
  seconds(s, 10, 11, {{kWan2, true, false}, {kWan, false, true}});
  for (int second = 11; second < 30; ++second) {
    seconds(s, second, second + 1, {{kWan2, true, true}});
    EXPECT_THAT(s.active(), IsEmpty()) << second;
  }
  for (int second = 30; second < 50; ++second) {
    seconds(s, second, second + 1, {{kWan, true, true}});
    EXPECT_THAT(s.active(), IsEmpty()) << second;
  }
}

TEST(TrafficEgress, ThreeSwitchesInFiveMinutesAreFlapping) {
  TrafficScript s;
  seconds(s, 1, 20, {{kWan, true, true}});
  seconds(s, 20, 40, {{kWan2, true, true}});
  seconds(s, 40, 60, {{kWan, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
  seconds(s, 60, 80, {{kWan2, true, true}});
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"),
            "our IKE and ESP changed their interface 3 times within 5 minutes, now they leave by wan2");
  seconds(s, 80, 400, {{kWan2, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, TheConfiguredLineIsTheOneToLeaveBy) {
  auto tunnel = TrafficScript::tunnel();
  tunnel.egress_interface = "wan2";
  TrafficScript s(tunnel);
  seconds(s, 1, 6, {{kWan, true, true}});
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"), "our IKE and ESP leave by wan, while they are configured to leave by wan2");
}

TEST(TrafficEgress, ALineThatNoCaptureLooksAtCannotBeCompared) {
  auto tunnel = TrafficScript::tunnel();
  tunnel.egress_interface = "eth0.100";
  TrafficScript s(tunnel);
  seconds(s, 1, 20, {{kWan, true, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, WhatIsNoLongerSeenIsForgotten) {
  TrafficScript s;
  seconds(s, 1, 6, {{kWan, false, true}, {kWan2, true, false}});
  ASSERT_THAT(s.active(), ElementsAre("multi_egress"));
  s.pass(25'000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficEgress, ArrivingAloneTellsNothing) {
  TrafficScript s;
  seconds(s, 1, 20, {{kWan, false, true}, {kWan2, false, true}});
  EXPECT_THAT(s.active(), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch
