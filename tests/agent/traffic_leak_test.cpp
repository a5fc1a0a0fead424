#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// nonat_missing from the wire, and what looks alike.
namespace tunnelwatch {
namespace {

using test::TrafficScript;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TrafficLeak, TranslatedPacketsBesideATunnelThatIsUp) {
  TrafficScript s;
  s.up(0);
  s.leak(3000, 3, 3, 2500);
  EXPECT_THAT(s.active(), IsEmpty()) << "too short to be more than a moment";
  s.leak(3600, 5, 5, 2500);
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing"));
  EXPECT_EQ(s.confidence_of("nonat_missing"), "likely");
  EXPECT_THAT(s.evidence_of("nonat_missing"),
              HasSubstr("5 packets for the cloud subnets left in clear on wan in 1.1 s, the last from 192.0.2.10 to "
                        "10.2.0.7; 5 of them with an address of this gateway as source"));
  s.pass(18'500);
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing")) << "a pause is no end";
  s.pass(18'800);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), ElementsAre("nonat_missing"));
}

TEST(TrafficLeak, ClearPacketsFromTheLocalSubnetCountAlike) {
  TrafficScript s;
  s.up(0);
  s.leak(5000, 4, 0, 3000);
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing"));
  EXPECT_THAT(s.evidence_of("nonat_missing"), HasSubstr("from 10.1.0.7 to 10.2.0.7"));
  EXPECT_THAT(s.evidence_of("nonat_missing"), testing::Not(HasSubstr("NAT")));
}

TEST(TrafficLeak, AnInterfaceThatCarriesNoOuterPacketsIsNoEgress) {
  TrafficScript s;
  s.up(0);
  s.leak(5000, 400, 0, 1000, /*carries_outer=*/false);
  EXPECT_THAT(s.active(), IsEmpty()) << "a LAN, or the tunnel's own interface";
}

TEST(TrafficLeak, TheConfiguredEgressNeedsNoOuterPackets) {
  auto tunnel = TrafficScript::tunnel();
  tunnel.egress_interface = "wan2";
  TrafficScript s(tunnel);
  s.up(0);
  s.leak(5000, 4, 4, 1000, /*carries_outer=*/false, TrafficScript::kOtherWan);
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing"));
}

TEST(TrafficLeak, WhatEscapesWhileTheSaIsMadeIsNone) {
  TrafficScript s;
  s.up(5000);
  s.leak(5100, 200, 200, 1000);
  EXPECT_THAT(s.active(), IsEmpty());
  s.leak(6500, 300, 300, 1000);
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing")) << "it goes on";
}

TEST(TrafficLeak, WithoutATunnelOnlyNatIsSuspected) {
  TrafficScript clear;
  clear.leak(5000, 4, 0, 1000);
  EXPECT_THAT(clear.active(), IsEmpty()) << "no tunnel, so nothing is inside it";
  TrafficScript translated;
  translated.leak(5000, 4, 4, 1000);
  EXPECT_THAT(translated.active(), ElementsAre("nonat_missing")) << "NAT keeps the traffic from asking for the tunnel";
  EXPECT_EQ(translated.confidence_of("nonat_missing"), "possible");
}

TEST(TrafficLeak, ATunnelThatFailsToComeUpIsTheCauseItself) {
  TrafficScript s;
  s.subject().evidence().facts().affirm(diagnosis::FactId::init_unanswered, s.now(), diagnosis::Confidence::likely,
                                        {"silence", "silence"});
  s.leak(5000, 4, 4, 1000);
  EXPECT_THAT(s.active(), ElementsAre("exchange_timeout"));
}

}  // namespace
}  // namespace tunnelwatch
