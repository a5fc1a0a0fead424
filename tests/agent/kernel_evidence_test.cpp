#include "agent/diagnosis/kernel_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// This machine's own tables, against the configuration, to the verdict: each row with what only looks like it.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using host::KernelHop;
using host::KernelRoute;
using host::KernelView;
using host::NeighbourState;
using test::TrafficScript;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint32_t kWan = 3;
constexpr std::uint32_t kWan2 = 4;
constexpr std::uint32_t kInside = 5;
const IpAddress kRouter = *IpAddress::parse("192.0.2.1");
const IpAddress kInner = *IpAddress::parse("10.2.0.1");

KernelRoute way(std::optional<IpAddress> gateway, std::uint32_t link) {
  return {*IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{gateway, link}}};
}

config::Tunnel settings() {
  auto tunnel = TrafficScript::tunnel();
  tunnel.local_tunnel_address = IpAddress::parse("169.254.70.2");
  tunnel.tunnel_interface = "ipsec0";
  tunnel.egress_interface = "wan";
  return tunnel;
}

// All is as it should be.
KernelView healthy() {
  KernelView v;
  v.complete = true;
  v.links = {{1, {"lo", true, false}},
             {kWan, {"wan", true, true}},
             {kWan2, {"wan2", true, true}},
             {kInside, {"ipsec0", true, false}}};
  v.addresses = {{kWan, {TrafficScript::kLocal, 24}}, {kInside, {*IpAddress::parse("169.254.70.2"), 32}}};
  v.routes = {way(kRouter, kWan), {*IpPrefix::parse("10.2.0.0/24"), true, {KernelHop{std::nullopt, kInside}}}};
  v.neighbours = {{kWan, kRouter, NeighbourState::resolved}};
  v.ways[TrafficScript::kRemote] = way(kRouter, kWan);
  v.ways[kInner] = way(std::nullopt, kInside);
  return v;
}

class Kernel : public testing::Test {
 protected:
  void says(const KernelView& v) {
    s.pass(at += 5000);
    diagnosis::judge_kernel(s.subject().evidence().facts(), s.subject().settings(), s.subject().remote(), v, s.now());
    s.watch().settle(s.now());
  }
  void trouble() {
    s.subject().evidence().facts().affirm(FactId::gateway_silent, s.now(), diagnosis::Confidence::likely,
                                          {"silent", "silent"});
  }
  TrafficScript s{settings()};
  int at = 0;
};

TEST_F(Kernel, AllIsWell) {
  trouble();
  says(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
  s.up(6000);
  says(healthy());
  says(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, WhatWasNotAskedIsUnknown) {
  says(KernelView{});
  s.up(6000);
  says(KernelView{});
  says(KernelView{});
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_FALSE(s.is(FactId::local_address_absent)) << "the tables are not complete";
  EXPECT_FALSE(s.is_not(FactId::local_address_absent));
}

TEST_F(Kernel, TheLocalAddressIsNotHere) {
  KernelView v = healthy();
  v.addresses[0].subnet.address = *IpAddress::parse("192.0.2.11");
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("local_address_mismatch"));
  EXPECT_EQ(s.evidence_of("local_address_mismatch"), "the configured local address 192.0.2.10 is on no interface here");
  says(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
  // It stands elsewhere and the tunnel is well: a pair of gateways, and the other one has it.
  s.up(11'000);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, ThePeersAddressIsOneOfThisMachine) {
  KernelView v = healthy();
  v.addresses.push_back({kWan2, {TrafficScript::kRemote, 24}});
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("peer_address_mismatch"));
  EXPECT_EQ(s.evidence_of("peer_address_mismatch"),
            "the configured remote address 198.51.100.20 is one of this machine");
  says(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, AnAddressOnThePeersNetworkOrInATunnelThatWorksIsNoMismatch) {
  KernelView v = healthy();
  v.addresses.push_back({kWan2, {*IpAddress::parse("198.51.100.21"), 24}});
  trouble();
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "a neighbour of the peer";
  s.subject().evidence().facts().forget(FactId::gateway_silent);
  s.up(6000);
  v.addresses.push_back({1, {TrafficScript::kRemote, 32}});
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "both ends are here, and it works";
}

TEST_F(Kernel, TheTwoEndsWereMixedUp) {
  KernelView v = healthy();
  v.addresses[0].subnet.address = TrafficScript::kRemote;
  says(v);
  EXPECT_THAT(s.active(),
              ElementsAre("gateway_address_not_mirrored", "peer_address_mismatch", "local_address_mismatch"));
  EXPECT_EQ(s.confidence_of("gateway_address_not_mirrored"), "likely");
  v.complete = false;
  v.addresses[0].subnet.address = *IpAddress::parse("192.0.2.11");
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "they may be among what was not read";
}

TEST_F(Kernel, OneAddressAloneIsNotMixedUp) {
  KernelView absent = healthy();
  absent.addresses[0].subnet.address = *IpAddress::parse("192.0.2.11");
  says(absent);
  EXPECT_THAT(s.active(), Not(Contains("gateway_address_not_mirrored")));
  KernelView both = healthy();
  both.addresses.push_back({kWan2, {TrafficScript::kRemote, 24}});
  says(both);
  EXPECT_THAT(s.active(), Not(Contains("gateway_address_not_mirrored")));
}

KernelRoute shared(std::initializer_list<KernelHop> hops) { return {*IpPrefix::parse("198.51.100.0/24"), true, hops}; }

TEST_F(Kernel, TheRouteToThePeerIsSharedOutOverALineThatIsNotConfigured) {
  KernelView v = healthy();
  v.entries[TrafficScript::kRemote] = shared({{kRouter, kWan}, {IpAddress::parse("192.0.3.1"), kWan2}});
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be about to change";
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"),
            "the route to 198.51.100.20 has next hops on wan and wan2: what goes there is shared out, and only wan is "
            "configured");
  v.entries[TrafficScript::kRemote] = shared({{kRouter, kWan}});
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, TwoRoutersOnOneLineAreOneLine) {
  KernelView v = healthy();
  v.entries[TrafficScript::kRemote] = shared({{kRouter, kWan}, {IpAddress::parse("192.0.2.2"), kWan}});
  trouble();
  says(v);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
  v.entries.clear();
  says(v);
  EXPECT_FALSE(s.is_not(FactId::route_shared_out)) << "nobody asked";
}

TEST_F(Kernel, WithoutAConfiguredLineSharingIsOnlyPossibleAndOnlyInTrouble) {
  auto open = settings();
  open.egress_interface.clear();
  TrafficScript other{open};
  KernelView v = healthy();
  v.entries[TrafficScript::kRemote] = shared({{kRouter, kWan}, {IpAddress::parse("192.0.3.1"), kWan2}});
  const auto look = [&](int ms) {
    other.pass(ms);
    diagnosis::judge_kernel(other.subject().evidence().facts(), other.subject().settings(), other.subject().remote(), v,
                            other.now());
    other.watch().settle(other.now());
  };
  other.up(1000);
  look(5000);
  look(10'000);
  EXPECT_THAT(other.active(), IsEmpty());
  other.subject().evidence().facts().affirm(FactId::inner_silent, other.now(), diagnosis::Confidence::likely,
                                            {"x", "x"});
  look(15'000);
  EXPECT_THAT(other.active(), Contains("multi_egress"));
  EXPECT_EQ(other.confidence_of("multi_egress"), "possible");
}

TEST_F(Kernel, TheTunnelsAddressIsNotHereWhileTheTunnelStands) {
  KernelView v = healthy();
  v.addresses.pop_back();
  says(v);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may come with the tunnel";
  s.up(11'000);
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("tunnel_interface_address_not_configured"));
}

TEST_F(Kernel, NoRouteToThePeer) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = {};
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("public_route_missing"));
  EXPECT_EQ(s.confidence_of("public_route_missing"), "confirmed");
  EXPECT_EQ(s.evidence_of("public_route_missing"), "there is no route to 198.51.100.20");
}

TEST_F(Kernel, AWayThatOnlyAMarkLeadsIsNotMissed) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = {};
  s.up(1000);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "the tunnel works";
  trouble();
  says(v);
  EXPECT_THAT(s.active(), Contains("public_route_missing"));
}

TEST_F(Kernel, AnAddressOfOurOwnIsNoMissingRoute) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = {*IpPrefix::parse("198.51.100.20/32"), false, {KernelHop{std::nullopt, 1}}};
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, ThePrivateRouteIsMissingWhileTheTunnelStands) {
  KernelView v = healthy();
  v.ways[kInner] = {};
  v.routes.pop_back();
  says(v);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "it comes with the tunnel";
  s.up(10'500);
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty()) << "it is about to come";
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("private_route_missing"));
  EXPECT_EQ(s.evidence_of("private_route_missing"), "there is no route to 10.2.0.0/24");
}

TEST_F(Kernel, ThePrivateRouteLeadsElsewhere) {
  KernelView v = healthy();
  v.ways[kInner] = way(kRouter, kWan);
  v.routes.pop_back();
  s.up(1000);
  says(v);
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("private_route_missing"));
  EXPECT_EQ(s.evidence_of("private_route_missing"),
            "packets for 10.2.0.0/24 leave by wan, while they are configured to leave by ipsec0");
}

TEST(KernelOfAPolicyTunnel, ItsPacketsTakeTheDefaultRoute) {
  TrafficScript s;  // without an interface of its own
  s.up(1000);
  KernelView v = healthy();
  v.ways[kInner] = way(kRouter, kWan);
  v.routes.pop_back();
  for (int at = 5000; at < 20'000; at += 5000) {
    s.pass(at);
    diagnosis::judge_kernel(s.subject().evidence().facts(), s.subject().settings(), s.subject().remote(), v, s.now());
    s.watch().settle(s.now());
  }
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, ARouteForAPartOfTheSubnet) {
  KernelView v = healthy();
  v.routes.back().destination = *IpPrefix::parse("10.2.0.0/25");
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("route_prefix_mismatch"));
  EXPECT_EQ(s.evidence_of("route_prefix_mismatch"), "of 10.2.0.0/24 only 10.2.0.0/25 is routed to ipsec0");
  v.routes.push_back({*IpPrefix::parse("10.2.0.128/25"), true, {KernelHop{std::nullopt, kInside}}});
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "two halves";
  v = healthy();
  v.routes.back().destination = *IpPrefix::parse("10.0.0.0/8");
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "more than the subnet";
  v.complete = false;
  v.routes.back().destination = *IpPrefix::parse("10.2.0.0/25");
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "the rest may be among what was not read";
}

TEST_F(Kernel, TheNextHopIsThePeer) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = way(TrafficScript::kRemote, kWan);
  trouble();
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("route_next_hop_is_peer"));
  // The peer is a neighbour.
  v.addresses.push_back({kWan, {*IpAddress::parse("198.51.100.1"), 24}});
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, TheNextHopOfTheSubnetIsThePeer) {
  KernelView v = healthy();
  v.ways[kInner] = way(TrafficScript::kRemote, kWan);
  trouble();
  says(v);
  EXPECT_THAT(s.active(), Contains("route_next_hop_is_peer"));
}

TEST_F(Kernel, TheNextHopDoesNotAnswer) {
  KernelView v = healthy();
  v.neighbours[0].state = NeighbourState::resolving;
  trouble();
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "not yet";
  v.neighbours[0].state = NeighbourState::failed;
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("next_hop_unresolved"));
  EXPECT_EQ(s.evidence_of("next_hop_unresolved"),
            "the next hop 192.0.2.1 on wan does not answer ARP or neighbour discovery");
  v.neighbours[0].state = NeighbourState::resolving;
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("next_hop_unresolved")) << "asked again";
  v.neighbours[0].state = NeighbourState::resolved;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, ANeighbourThatIsNotTheNextHopMayFail) {
  KernelView v = healthy();
  v.neighbours.push_back({kWan, *IpAddress::parse("192.0.2.77"), NeighbourState::failed});
  v.neighbours.push_back({kWan2, kRouter, NeighbourState::failed});
  trouble();
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, ARouteWithoutANextHop) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = way(std::nullopt, kWan);
  v.neighbours.push_back({kWan, TrafficScript::kRemote, NeighbourState::failed});
  trouble();
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("route_interface_without_next_hop"));
  v.neighbours.back().state = NeighbourState::resolved;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "a router answers for it";
  v.neighbours.back().state = NeighbourState::failed;
  v.links[kWan].resolves = false;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "a point-to-point line needs no next hop";
}

TEST_F(Kernel, APeerOnOurOwnNetworkThatIsSilentIsNoMatterOfRoutes) {
  KernelView v = healthy();
  v.addresses.push_back({kWan, {*IpAddress::parse("198.51.100.1"), 24}});
  v.ways[TrafficScript::kRemote] = way(std::nullopt, kWan);
  v.neighbours.push_back({kWan, TrafficScript::kRemote, NeighbourState::failed});
  trouble();
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Kernel, AnotherLineThanConfigured) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = way(kRouter, kWan2);
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("multi_egress"));
  EXPECT_EQ(s.evidence_of("multi_egress"),
            "packets for 198.51.100.20 leave by wan2, while they are configured to leave by wan");
  v.links.erase(kWan);
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "an interface that is not there cannot be compared";
}

TEST_F(Kernel, WhatCannotBeAskedAnyMoreIsForgotten) {
  KernelView v = healthy();
  v.ways[TrafficScript::kRemote] = {};
  says(v);
  ASSERT_THAT(s.active(), Not(IsEmpty()));
  diagnosis::forget_kernel(s.subject().evidence().facts());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WantedWays, ThePeerAndOneHostOfEachSubnet) {
  auto tunnel = TrafficScript::tunnel();
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("10.3.0.0/24"),
                           *IpPrefix::parse("10.4.0.7/32"), *IpPrefix::parse("2001:db8::/32"),
                           *IpPrefix::parse("0.0.0.0/0")};
  tunnel.inner_hosts = {{"10.3.0.9", IpAddress::parse("10.3.0.9")}};
  std::vector<std::string> wanted;
  for (const auto& a : diagnosis::wanted_ways(tunnel, TrafficScript::kRemote)) wanted.push_back(a.to_string());
  EXPECT_THAT(wanted, ElementsAre("198.51.100.20", "10.2.0.1", "10.3.0.9", "10.4.0.7", "2001:db8::1"));
  tunnel.remote_subnets.assign(256, *IpPrefix::parse("10.2.0.0/24"));
  EXPECT_EQ(diagnosis::wanted_ways(tunnel, std::nullopt).size(), diagnosis::kMaxWays);
}

}  // namespace
}  // namespace tunnelwatch
