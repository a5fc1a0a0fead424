#include "agent/diagnosis/forwarding_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What this machine itself keeps from being forwarded, to the verdict, with what only looks like it.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using diagnosis::ForwardingLook;
using host::KernelHop;
using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint32_t kLan = 5;

host::KernelView with_lan() {
  host::KernelView v;
  v.complete = true;
  v.links = {{1, {"lo", true, false}}, {3, {"wan", true, true}}, {kLan, {"lan", true, true}}};
  v.routes = {{*IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{IpAddress::parse("192.0.2.1"), 3}}},
              {*IpPrefix::parse("10.1.0.0/24"), true, {KernelHop{std::nullopt, kLan}}}};
  return v;
}

class Forwarding : public testing::Test {
 protected:
  void looks(const ForwardingLook& look, const host::KernelView& view = with_lan()) {
    s.pass(at += 5000);
    diagnosis::judge_forwarding(facts(), s.subject().settings(), view, look, s.now());
    s.watch().settle(s.now());
  }
  void keeps_looking(const ForwardingLook& look, const host::KernelView& view = with_lan()) {
    looks(look, view);
    looks(look, view);
  }
  void fact(FactId id) {
    facts().affirm(id, s.now(), diagnosis::Confidence::likely, {"so", "so"});
    s.watch().settle(s.now());
  }
  diagnosis::Facts& facts() { return s.subject().evidence().facts(); }
  TrafficScript s;
  int at = 1000;
};

TEST_F(Forwarding, PacketsOfHostsBehindAreRefused) {
  s.up(1000);
  looks({false, 4, 0});
  EXPECT_THAT(s.active(), IsEmpty()) << "once is chance";
  looks({false, 4, 0});
  EXPECT_THAT(s.active(), ElementsAre("customer_policy_blocks_traffic"));
  EXPECT_EQ(s.evidence_of("customer_policy_blocks_traffic"),
            "IPv4 forwarding is off and packets for others are refused (InAddrErrors rises), while 10.1.0.0/24 lies "
            "behind lan");
  looks({true, 0, 0});
  EXPECT_THAT(s.active(), IsEmpty()) << "switched on";
}

TEST_F(Forwarding, NothingIsSaidWhereNobodyIsBehindOrAsks) {
  s.up(1000);
  keeps_looking({false, 0, 0});
  EXPECT_THAT(s.active(), IsEmpty()) << "off, and nobody asks";
  keeps_looking({true, 4, 0});
  EXPECT_THAT(s.active(), IsEmpty()) << "on: what is refused is for nobody";
  host::KernelView alone = with_lan();
  alone.routes[1].hops[0].link = 1;
  keeps_looking({false, 4, 0}, alone);
  EXPECT_THAT(s.active(), IsEmpty()) << "the subnet is on this machine itself";
  alone.routes.pop_back();
  keeps_looking({false, 4, 0}, alone);
  EXPECT_THAT(s.active(), IsEmpty()) << "the default route leads to no subnet of ours";
}

TEST_F(Forwarding, ATunnelThatIsNotUpHasOtherTroubles) {
  keeps_looking({false, 4, 0});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Forwarding, WhatStopsIsForgottenByAndBy) {
  s.up(1000);
  keeps_looking({false, 4, 0});
  looks({false, 0, 0});
  EXPECT_THAT(s.active(), ElementsAre("customer_policy_blocks_traffic")) << "a pause";
  for (int i = 0; i < 3; ++i) looks({false, 0, 0});
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Forwarding, TheFilterOfReversePathsDropsWhatWasDecrypted) {
  s.up(1000);
  keeps_looking({true, 0, 9});
  EXPECT_THAT(s.active(), IsEmpty()) << "strangers on the internet are what it is for";
  fact(FactId::inner_silent);
  EXPECT_THAT(s.active(), Not(testing::Contains("customer_policy_blocks_traffic"))) << "nothing comes back";
  fact(FactId::esp_both_ways);
  looks({true, 0, 9});
  EXPECT_EQ(s.active().front(), "customer_policy_blocks_traffic");
  EXPECT_EQ(
      s.evidence_of("customer_policy_blocks_traffic"),
      "rp_filter drops packets here (IPReversePathFilter rises) while what comes back by the tunnel gets nowhere");
}

TEST_F(Forwarding, ATableOfConnectionsThatIsFullDropsWhatIsNew) {
  s.up(1000);
  keeps_looking({true, 0, 0, 4});
  EXPECT_THAT(s.active(), IsEmpty()) << "odd packets";
  looks({true, 0, 0, 40});
  EXPECT_THAT(s.active(), IsEmpty()) << "once is chance";
  looks({true, 0, 0, 40});
  EXPECT_THAT(s.active(), ElementsAre("customer_policy_blocks_traffic"));
  EXPECT_EQ(s.confidence_of("customer_policy_blocks_traffic"), "possible") << "what stands goes on";
  EXPECT_EQ(s.evidence_of("customer_policy_blocks_traffic"),
            "the tracking of connections drops packets, as it does when its table is full: 40 more");
  fact(FactId::inner_silent);
  EXPECT_EQ(s.confidence_of("customer_policy_blocks_traffic"), "likely");
  for (int i = 0; i < 4; ++i) looks({true, 0, 0, 0});
  EXPECT_THAT(s.active(), Not(testing::Contains("customer_policy_blocks_traffic")));
}

TEST_F(Forwarding, WhatCannotBeReadAnyMoreIsForgotten) {
  s.up(1000);
  keeps_looking({false, 4, 0, 40});
  EXPECT_THAT(s.active(), ElementsAre("customer_policy_blocks_traffic"));
  diagnosis::forget_forwarding(facts());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(ForwardingLooks, OnlyWhatBothHave) {
  using diagnosis::ForwardingCounters;
  using diagnosis::look_between;
  const auto counted = [](bool forwards, std::uint64_t refused, std::uint64_t reverse_path) {
    return ForwardingCounters{host::IpCounters{forwards, refused, reverse_path}, {}};
  };
  const auto look = look_between(counted(true, 5, 7), counted(false, 8, 7));
  ASSERT_TRUE(look);
  EXPECT_FALSE(look->forwards);
  EXPECT_EQ(look->refused, 3U);
  EXPECT_EQ(look->reverse_path, 0U);
  EXPECT_EQ(look->connection_drops, 0U);
  EXPECT_FALSE(look_between({}, counted(true, 0, 0)));
  EXPECT_FALSE(look_between(counted(true, 0, 0), {}));
  EXPECT_FALSE(look_between(counted(true, 5, 7), counted(true, 4, 7))) << "they began anew";
}

TEST(ForwardingLooks, AMachineMayBeginToTrackConnections) {
  using diagnosis::ForwardingCounters;
  const auto drops = [](std::optional<std::uint64_t> before, std::optional<std::uint64_t> now) {
    return diagnosis::look_between({host::IpCounters{}, before}, {host::IpCounters{}, now})->connection_drops;
  };
  EXPECT_EQ(drops(5, 9), 4U);
  EXPECT_EQ(drops({}, 9), 9U);
  EXPECT_EQ(drops(5, {}), 0U);
  EXPECT_EQ(drops(9, 5), 0U) << "they began anew";
}

}  // namespace
}  // namespace tunnelwatch
