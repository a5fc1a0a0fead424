#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// BGP over the tunnel: AS numbers that do not mirror, and sessions that look alike.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using passive::BgpSight;
using test::TrafficScript;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const IpAddress kHere = *IpAddress::parse("169.254.70.2");
const IpAddress kThere = *IpAddress::parse("169.254.70.1");

config::Tunnel with_bgp(std::uint32_t local, std::uint32_t remote) {
  auto t = TrafficScript::tunnel();
  t.local_tunnel_address = kHere;
  t.remote_tunnel_address = kThere;
  t.bgp = {local, remote};
  return t;
}

// What one end says to the other, in one word.
class Speech {
 public:
  explicit Speech(TrafficScript& script) : script_(script) {}

  void open(int ms, bool from_here, std::uint32_t as) {
    as_[from_here ? 0 : 1] = as;
    tell(ms, from_here, BgpSight::open);
  }
  void accept(int ms, bool from_here) { tell(ms, from_here, BgpSight::accepted); }
  void refuse(int ms, bool from_here, std::uint8_t code = 2, std::uint8_t subcode = 2) {
    tell(ms, from_here, BgpSight::refused, code, subcode);
  }
  std::uint16_t interface = TrafficScript::kInside;
  IpAddress here = kHere;
  IpAddress there = kThere;

 private:
  void tell(int ms, bool from_here, BgpSight sight, std::uint8_t code = 0, std::uint8_t subcode = 0) {
    script_.pass(ms);
    script_.watch().on_bgp({.sight = sight,
                            .speaker = from_here ? here : there,
                            .other = from_here ? there : here,
                            .interface = interface,
                            .as_number = as_[from_here ? 0 : 1],
                            .other_as = as_[from_here ? 1 : 0],
                            .code = code,
                            .subcode = subcode,
                            .at = script_.now()});
    script_.watch().settle(script_.now());
  }
  TrafficScript& script_;
  std::uint32_t as_[2] = {0, 0};
};

TEST(TrafficBgp, SessionsThatMirrorRaiseNothing) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, true, 65001);
  bgp.open(10, false, 64512);
  bgp.accept(20, true);
  bgp.accept(30, false);
  s.pass(5000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, ThePeersRefusalNamesBoth) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, true, 65001);
  bgp.open(10, false, 64512);
  bgp.accept(20, true);
  bgp.refuse(30, false);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
  EXPECT_EQ(s.confidence_of("bgp_asn_mismatch"), "confirmed");
  EXPECT_EQ(s.evidence_of("bgp_asn_mismatch"),
            "169.254.70.1 (AS 64512) refused the BGP OPEN of 169.254.70.2, which says AS 65001: Bad Peer AS");
}

TEST(TrafficBgp, ItIsOverWhenEachTakesTheOther) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, true, 65009);
  bgp.refuse(30, false);
  ASSERT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
  bgp.open(60'000, true, 65001);
  bgp.open(60'010, false, 64512);
  bgp.accept(60'020, false);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch")) << "one of two";
  bgp.accept(60'030, true);
  s.pass(62'000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, AnotherNumberThanConfiguredThatNobodyAccepts) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, false, 64513);
  s.pass(500);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may still be accepted";
  s.pass(1200);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
  EXPECT_EQ(s.confidence_of("bgp_asn_mismatch"), "likely");
  EXPECT_EQ(s.evidence_of("bgp_asn_mismatch"),
            "the BGP OPEN of the peer (169.254.70.1) says AS 64513, configured is 64512, and it was not accepted");
  bgp.open(60'000, false, 64512);
  s.pass(62'000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, AnotherNumberThatTheOtherEndTakesIsThisConfigurationsFault) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, false, 64513);
  bgp.open(5, true, 65001);
  bgp.accept(10, true);
  bgp.accept(20, false);
  s.pass(5000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, OtherRefusalsAreOtherMatters) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.open(0, true, 65001);
  bgp.refuse(10, false, 2, 6);  // unacceptable hold time
  bgp.refuse(20, true, 6, 3);   // peer de-configured
  s.pass(3000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, BgpWithTheProviderIsNotTheTunnels) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech bgp(s);
  bgp.interface = TrafficScript::kWan;
  bgp.there = *IpAddress::parse("192.0.2.1");
  bgp.open(0, false, 3320);
  bgp.refuse(10, false);
  s.pass(3000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, TheTunnelsInterfaceTellsWhereNoAddressIsConfigured) {
  auto tunnel = with_bgp(65001, 64512);
  tunnel.local_tunnel_address.reset();
  tunnel.remote_tunnel_address.reset();
  tunnel.tunnel_interface = "ipsec0";
  TrafficScript s(tunnel, /*offline=*/false);
  s.watch().set_local_addresses({kHere});
  Speech bgp(s);
  bgp.interface = TrafficScript::kWan;
  bgp.open(0, false, 64513);
  s.pass(2000);
  EXPECT_THAT(s.active(), IsEmpty());
  bgp.interface = TrafficScript::kInside;
  bgp.open(3000, false, 64513);
  s.pass(5000);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
}

TEST(TrafficBgp, WhatNobodySpeaksAnyMoreIsForgotten) {
  TrafficScript s(with_bgp(65001, 64512), /*offline=*/false);
  Speech(s).refuse(0, false);
  s.pass(14 * 60'000);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
  s.pass(16 * 60'000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficBgp, InAFileARefusalStandsForItself) {
  TrafficScript s;
  s.watch().configure({});
  Speech bgp(s);
  bgp.interface = 0;
  bgp.open(0, true, 65001);
  EXPECT_TRUE(s.watch().tunnels().empty()) << "who is who is not known, and nothing is wrong";
  bgp.open(10, false, 64512);
  bgp.refuse(20, false);
  bgp.refuse(30, true);
  EXPECT_THAT(s.active(), ElementsAre("bgp_asn_mismatch"));
  ASSERT_EQ(s.watch().tunnels().size(), 1U);
  EXPECT_EQ(s.watch().tunnels().front()->name(), "169.254.70.1");
}

}  // namespace
}  // namespace tunnelwatch
