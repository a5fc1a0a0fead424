#include "agent/diagnosis/flow_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Connections of this machine against the configured subnets, to the verdict.
namespace tunnelwatch {
namespace {

using diagnosis::TranslatedFlows;
using host::TrackedFlow;
using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;

TrackedFlow flow(const char* source, const char* destination, const char* answered_at) {
  return {*IpAddress::parse(source), *IpAddress::parse(destination), *IpAddress::parse(answered_at)};
}

const TrackedFlow kTranslated = flow("10.1.0.7", "10.2.0.7", "192.0.2.10");

class Flows : public testing::Test {
 protected:
  // One reading of all connections.
  void reads(const std::vector<TrackedFlow>& all) {
    s.pass(at += 5000);
    TranslatedFlows flows;
    flows.add_tunnel(s.subject().settings());
    for (const TrackedFlow& f : all) flows.take(f);
    flows.judge(s.subject().evidence().facts(), "cloud", s.now());
    s.watch().settle(s.now());
  }
  TrafficScript s{TrafficScript::tunnel(), false};
  int at = 0;
};

TEST_F(Flows, FromALocalSubnetWithAnotherSource) {
  s.up(1000);
  reads({kTranslated, flow("10.1.0.8", "10.2.0.7", "192.0.2.10"), flow("10.1.0.9", "10.2.0.7", "10.1.0.9")});
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be left from before the tunnel stood";
  reads({kTranslated, flow("10.1.0.8", "10.2.0.7", "192.0.2.10")});
  EXPECT_THAT(s.active(), ElementsAre("nonat_missing"));
  EXPECT_EQ(s.confidence_of("nonat_missing"), "likely");
  EXPECT_EQ(s.evidence_of("nonat_missing"),
            "this machine translates 2 connections into the remote subnets, such as 10.1.0.7 to 10.2.0.7, which leaves "
            "as 192.0.2.10");
  reads({});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Flows, ThatKeepTheirSourceOrAreOfOtherSubnetsAreNotTranslated) {
  s.up(1000);
  for (int i = 0; i < 3; ++i) {
    reads({flow("10.1.0.7", "10.2.0.7", "10.1.0.7"),       // as it is meant to be
           flow("10.1.0.7", "203.0.113.9", "192.0.2.10"),  // the Internet
           flow("10.5.0.7", "10.2.0.7", "192.0.2.10"),     // another network here
           flow("10.5.0.7", "10.2.0.7", "10.1.0.200"),     // let in by an address of the tunnel's
           flow("10.1.0.7", "10.2.0.7", "10.1.0.200"),     // likewise
           flow("10.2.0.7", "10.1.0.7", "192.0.2.10")});   // from the cloud
  }
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Flows, WhileTheTunnelIsDownTheyLeaveAnywhere) {
  for (int i = 0; i < 3; ++i) reads({kTranslated});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TranslatedFlowsTest, OfManyTunnelsEachHasItsOwn) {
  auto wide = TrafficScript::tunnel();
  wide.name = "wide";
  wide.remote_subnets = {*IpPrefix::parse("10.2.0.0/16"), *IpPrefix::parse("fd02::/64")};
  wide.local_subnets = {*IpPrefix::parse("10.1.0.0/24"), *IpPrefix::parse("fd01::/64")};
  auto other = TrafficScript::tunnel();
  other.name = "other";
  other.remote_subnets = {*IpPrefix::parse("10.3.0.0/24")};
  config::Tunnel unknown;
  unknown.name = "unknown";
  TranslatedFlows flows;
  for (const auto& tunnel : {TrafficScript::tunnel(), wide, other, unknown}) flows.add_tunnel(tunnel);
  EXPECT_TRUE(flows.any_tunnel());
  flows.take(kTranslated);
  flows.take(flow("fd01::7", "fd02::7", "2001:db8::10"));
  const auto told = [&](const char* name) {
    diagnosis::Facts facts;
    flows.judge(facts, name, TimePoint{});
    return facts.is(diagnosis::FactId::flows_translated)       ? 1
           : facts.is_not(diagnosis::FactId::flows_translated) ? 0
                                                               : -1;
  };
  EXPECT_EQ(told("cloud"), 1);
  EXPECT_EQ(told("wide"), 1);
  EXPECT_EQ(told("other"), 0);
  EXPECT_EQ(told("unknown"), -1) << "nobody knows its subnets";
}

}  // namespace
}  // namespace tunnelwatch
