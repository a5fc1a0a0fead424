#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Hosts behind the peer that are silent while the tunnel carries traffic: a security group, a subnet's ACL, or neither.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using test::TrafficScript;
using From = TrafficScript::From;
using Host = TrafficScript::Host;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

config::Tunnel with_hosts(std::initializer_list<const char*> hosts) {
  auto t = TrafficScript::tunnel();
  t.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("10.3.0.0/24")};
  for (const char* h : hosts) t.inner_hosts.push_back({h, IpAddress::parse(h)});
  return t;
}

Host well(const char* address) { return {address, address}; }
Host dead(const char* address) { return {.name = address, .address = address, .answers = false}; }

const char* const kA = "10.2.0.7";
const char* const kB = "10.2.0.8";
const char* const kC = "10.3.0.7";
const char* const kD = "10.3.0.8";

TEST(TrafficInner, OneHostSilentBesideAnotherIsItsSecurityGroup) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty());
  s.pings(5, 7, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty()) << "two lost pings are chance";
  s.pings(7, 8, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), ElementsAre("cloud_security_group_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("cloud_security_group_blocks_traffic"), "likely");
  EXPECT_THAT(s.evidence_of("cloud_security_group_blocks_traffic"),
              HasSubstr("10.2.0.7 did not answer the last 3 echoes in 3.0 s, though it answered before, while 10.2.0.8 "
                        "answers through the same tunnel"));
  s.pings(8, 9, {well(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficInner, ThePeersOwnAddressInsideSpeaksForTheTunnel) {
  auto tunnel = with_hosts({kA});
  tunnel.remote_tunnel_address = IpAddress::parse("169.254.70.1");
  TrafficScript s(tunnel);
  s.up(0);
  s.pings(1, 5, {well(kA), well("169.254.70.1")});
  s.pings(5, 10, {dead(kA), well("169.254.70.1")});
  EXPECT_THAT(s.active(), Contains("cloud_security_group_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("cloud_security_group_blocks_traffic"), "likely");
}

TEST(TrafficInner, ThePeersOwnAddressNeedNotAnswer) {
  auto tunnel = with_hosts({kA});
  tunnel.remote_tunnel_address = IpAddress::parse("169.254.70.1");
  TrafficScript s(tunnel);
  s.up(0);
  s.pings(1, 5, {well(kA), well("169.254.70.1")});
  s.pings(5, 60, {well(kA), dead("169.254.70.1")});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficInner, EveryHostOfOneSubnetIsItsAcl) {
  TrafficScript s(with_hosts({kA, kC, kD}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kC), well(kD)});
  s.pings(5, 10, {well(kA), dead(kC), dead(kD)});
  EXPECT_THAT(s.active(), ElementsAre("subnet_acl_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("subnet_acl_blocks_traffic"), "likely");
  EXPECT_THAT(s.evidence_of("subnet_acl_blocks_traffic"),
              HasSubstr("none of the 2 configured hosts in 10.3.0.0/24 answers (such as 10.3.0.7), while 10.2.0.7"));
}

TEST(TrafficInner, TheOnlyHostOfASubnetMayBeEither) {
  TrafficScript s(with_hosts({kA, kC}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kC)});
  s.pings(5, 10, {well(kA), dead(kC)});
  EXPECT_THAT(s.active(), ElementsAre("cloud_security_group_blocks_traffic", "subnet_acl_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("subnet_acl_blocks_traffic"), "possible");
}

TEST(TrafficInner, AHostThatNeverAnsweredIsToldLateAndAsPossible) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 25, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty());
  s.pings(25, 40, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), ElementsAre("cloud_security_group_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("cloud_security_group_blocks_traffic"), "possible");
  EXPECT_THAT(s.evidence_of("cloud_security_group_blocks_traffic"), HasSubstr("it never did since the agent started"));
}

TEST(TrafficInner, PingsFromOutsideTheTunnelsSubnetsProveNothing) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  Host unfit = dead(kA);
  unfit.fits = false;
  s.pings(1, 60, {unfit, well(kB)});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficInner, WhatWasLostBeforeTheTunnelStoodDoesNotCount) {
  TrafficScript s(with_hosts({kA, kB}));
  s.pings(1, 3, {well(kA), well(kB)});
  s.pass(20'000);  // nothing flows: nothing is known of the tunnel
  for (int i = 20; i < 60; ++i) s.pings(i, i + 1, {dead(kA), dead(kB)}, /*esp_returns=*/false);
  EXPECT_THAT(s.active(), IsEmpty());
  s.pings(60, 62, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty()) << "40 losses, but two over a tunnel that works";
  s.pings(62, 66, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), ElementsAre("cloud_security_group_blocks_traffic"));
}

TEST(TrafficInner, WithSlowPingsToo) {
  TrafficScript s(with_hosts({kA, kB}));
  s.pings(1, 3, {well(kA), well(kB)});
  for (int i = 20; i < 60; ++i) s.pings(i, i + 1, {dead(kA), dead(kB)}, /*esp_returns=*/false);
  s.pings(60, 61, {dead(kA), well(kB)});
  s.pings(70, 71, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), IsEmpty()) << "ten seconds, but two pings over a tunnel that works";
  s.pings(80, 81, {dead(kA), well(kB)});
  s.pings(90, 91, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), ElementsAre("cloud_security_group_blocks_traffic"));
}

TEST(TrafficInner, AllSilentWithoutFreshEspIsAnotherMatter) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kB)});
  active::EchoWindow silent;
  silent.last_reply = s.now();
  for (std::uint32_t i = 1; i <= 3; ++i) {
    s.pass(4000 + 3000 * static_cast<int>(i));
    silent.consecutive_losses = i;
    s.subject().traffic().on_inner_echo({kA, IpAddress::parse(kA)}, silent, s.now(), false);
    s.subject().traffic().on_inner_echo({kB, IpAddress::parse(kB)}, silent, s.now(), true);
    s.watch().settle(s.now());
  }
  EXPECT_TRUE(s.is(FactId::esp_both_ways)) << "nine seconds ago";
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficInner, ATunnelThatDiesSilencesAllAndIsNoFilterOfTheCloud) {
  TrafficScript s(with_hosts({kA, kB, kC}));
  s.up(0);
  s.pings(1, 10, {well(kA), well(kB), well(kC)});
  for (int i = 10; i < 30; ++i) {
    s.pings(i, i + 1, {dead(kA), dead(kB), dead(kC)}, /*esp_returns=*/false);
    EXPECT_THAT(s.active(), Not(Contains("subnet_acl_blocks_traffic"))) << i;
    EXPECT_THAT(s.active(), Not(Contains("cloud_security_group_blocks_traffic"))) << i;
  }
}

TEST(TrafficInner, AllSilentWhileThePeersEspComesIsPossiblyTheAcl) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kB)});
  s.pings(5, 15, {dead(kA), dead(kB)});
  EXPECT_THAT(s.active(), ElementsAre("subnet_acl_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("subnet_acl_blocks_traffic"), "possible");
}

TEST(TrafficInner, OnAPathThatLosesThreeInARowAreChance) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kB)});
  s.echoes(FactId::references_lose, false);
  s.echoes(FactId::gateway_loses, true);
  s.pings(5, 13, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), ElementsAre("peer_path_loss"));
  s.pings(13, 18, {dead(kA), well(kB)});
  EXPECT_THAT(s.active(), Contains("cloud_security_group_blocks_traffic"));
}

TEST(TrafficInner, AHostThatIsNotThereIsNotFiltered) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  s.pings(1, 5, {well(kA), well(kB)});
  Host gone = dead(kA);
  gone.refused = RefusalReason::host_unreachable;
  s.pings(5, 20, {gone, well(kB)});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficInner, WithoutSightOfEspNothingIsSaid) {
  TrafficScript s(with_hosts({kA, kB}));
  s.up(0);
  active::EchoWindow silent;
  silent.sent = 30;
  silent.consecutive_losses = 30;
  silent.last_reply = s.now();
  active::EchoWindow answers;
  for (int i = 1; i < 60; ++i) {
    s.pass(1000 * i);
    answers.last_reply = s.now();
    s.subject().traffic().on_inner_echo({kA, IpAddress::parse(kA)}, silent, s.now(), false);
    s.subject().traffic().on_inner_echo({kB, IpAddress::parse(kB)}, answers, s.now(), true);
    s.watch().settle(s.now());
  }
  EXPECT_THAT(s.active(), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch
