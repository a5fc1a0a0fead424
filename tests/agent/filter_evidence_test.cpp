#include "agent/diagnosis/filter_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rules of this machine's packet filter that drop what belongs to a tunnel, to the verdict, with what only looks like
// it.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using host::FilterRule;
using host::FilterVerdict;
using host::FilterView;
using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;

const char* const kCause = "customer_policy_blocks_traffic";

FilterRule rule(std::uint64_t handle, const char* source, const char* destination,
                FilterVerdict verdict = FilterVerdict::drops) {
  FilterRule r;
  r.family = 2;
  r.table = "filter";
  r.chain = "forward";
  r.handle = handle;
  r.verdict = verdict;
  r.source = IpPrefix::parse(source);
  r.destination = IpPrefix::parse(destination);
  r.packets = 0;
  return r;
}

class Filter : public testing::Test {
 protected:
  // Five seconds later, each rule that drops has dropped five packets more.
  std::uint64_t drops(FilterView& v, std::uint64_t more = 5) {
    const FilterView before = v;
    for (FilterRule& r : v.rules) {
      if (r.verdict == FilterVerdict::drops && r.packets) *r.packets += more;
    }
    s.pass(at += 5000);
    const auto drops = diagnosis::drops_between(before, v);
    const auto count = diagnosis::judge_filter(facts(), s.subject().settings(), v, drops, s.now());
    s.watch().settle(s.now());
    return count;
  }
  std::uint64_t keeps_dropping(FilterView& v) { return drops(v) + drops(v); }
  void fact(FactId id) {
    facts().affirm(id, s.now(), diagnosis::Confidence::likely, {"so", "so"});
    s.watch().settle(s.now());
  }
  // A host behind the peer, which answered before, has not answered so many in a row.
  void inner_echo(std::uint32_t losses) {
    active::EchoWindow w;
    w.sent = 1;
    w.consecutive_losses = losses;
    w.last_reply = s.now();
    s.subject().evidence().on_inner_echo("10.2.0.7", w, s.now(), true, true);
    s.watch().settle(s.now());
  }
  diagnosis::Facts& facts() { return s.subject().evidence().facts(); }
  TrafficScript s;
  int at = 1000;
};

TEST_F(Filter, ARuleDropsAllBetweenTheSubnets) {
  s.up(1000);
  FilterView v{{rule(4, "10.0.0.0/8", "10.2.0.0/24")}, true};
  EXPECT_EQ(drops(v), 5U);
  EXPECT_THAT(s.active(), IsEmpty()) << "once is chance";
  EXPECT_EQ(drops(v), 5U);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
  EXPECT_EQ(s.evidence_of(kCause),
            "rule 4 of the chain ip filter forward of nftables drops packets of 10.1.0.0/24 -> 10.2.0.0/24: 5 more");
  v.rules[0].verdict = FilterVerdict::passes;
  for (int i = 0; i < 4; ++i) drops(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Filter, TheWayBackToo) {
  s.up(1000);
  FilterView v{{rule(4, "10.2.0.0/24", "10.1.0.0/24")}, true};
  v.rules[0].destination.reset();
  keeps_dropping(v);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
}

// What is only a part of the traffic may be meant to be dropped, as long as the rest gets through.
TEST_F(Filter, ARuleForAPartIsAPolicyThatIsMeant) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.5/32", "10.2.0.0/24"), rule(5, "10.1.0.0/24", "10.2.0.0/24")}, true};
  v.rules[1].narrower = true;
  EXPECT_EQ(keeps_dropping(v), 20U) << "but counted";
  EXPECT_THAT(s.active(), IsEmpty());
  v.rules = {rule(3, "10.1.0.0/24", "10.2.0.9/32", FilterVerdict::passes), rule(5, "10.1.0.0/24", "10.2.0.0/24")};
  keeps_dropping(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "the rest behind what is let pass";
  v.rules[0].verdict = FilterVerdict::leads_on;
  keeps_dropping(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "another chain may let pass";
  v.rules[0].chain = "output";
  keeps_dropping(v);
  EXPECT_THAT(s.active(), ElementsAre(kCause)) << "that was the way of others";
}

TEST_F(Filter, APartIsTheCauseWhereNothingGetsThrough) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.5/32", "10.2.0.0/24")}, true};
  keeps_dropping(v);
  fact(FactId::inner_silent);
  EXPECT_EQ(s.active().front(), kCause);
}

TEST_F(Filter, InnerEchoesThatDieMakeTheDropOfAPartTheCause) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.5/32", "10.2.0.0/24")}, true};
  keeps_dropping(v);
  inner_echo(1);
  EXPECT_THAT(s.active(), IsEmpty()) << "one may be lost";
  inner_echo(2);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
  inner_echo(0);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Filter, InnerEchoesThatDieWhereNothingIsDroppedHereAreAnothers) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.5/32", "10.2.0.0/24")}, true};
  for (const std::uint32_t losses : {0U, 1U, 2U, 3U}) {
    drops(v, 0);
    inner_echo(losses);
    EXPECT_THAT(s.active(), IsEmpty());
  }
}

TEST_F(Filter, OthersAndWhatCountsNothingSayNothing) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.0/24", "10.9.0.0/24")}, true};
  EXPECT_EQ(keeps_dropping(v), 0U);
  EXPECT_THAT(s.active(), IsEmpty()) << "another subnet";
  v.rules = {rule(4, "10.1.0.0/24", "10.2.0.0/24")};
  v.rules[0].packets.reset();
  keeps_dropping(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "no counter";
  v.rules[0] = rule(4, "10.1.0.0/24", "10.2.0.0/24");
  v.rules[0].source.reset();
  v.rules[0].destination.reset();
  keeps_dropping(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "anybody's";
  v.rules[0] = rule(4, "10.1.0.0/24", "10.2.0.0/24");
  drops(v, 0);
  drops(v, 0);
  EXPECT_THAT(s.active(), IsEmpty()) << "nobody came";
}

TEST_F(Filter, ATunnelThatIsNotUpHasOtherTroubles) {
  FilterView v{{rule(4, "10.1.0.0/24", "10.2.0.0/24")}, true};
  keeps_dropping(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Filter, WhatCannotBeReadAnyMoreIsForgotten) {
  s.up(1000);
  FilterView v{{rule(4, "10.1.0.0/24", "10.2.0.0/24")}, true};
  keeps_dropping(v);
  diagnosis::forget_filter(facts());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(FilterDrops, OnlyWhatRoseInARuleThatWasThere) {
  FilterView before{{rule(1, "10.1.0.0/24", "10.2.0.0/24"), rule(2, "10.1.0.0/24", "10.2.0.0/24"),
                     rule(3, "10.1.0.0/24", "10.2.0.0/24")},
                    true};
  for (FilterRule& r : before.rules) r.packets = 10;
  FilterView now = before;
  now.rules[0].packets = 17;
  now.rules[1].packets = 3;  // it began anew
  now.rules.push_back(rule(4, "10.1.0.0/24", "10.2.0.0/24"));
  now.rules.back().packets = 9;
  const auto drops = diagnosis::drops_between(before, now);
  ASSERT_EQ(drops.size(), 1U);
  EXPECT_EQ(drops[0].rule, 0U);
  EXPECT_EQ(drops[0].packets, 7U);
  now.rules[0].chain = "another";
  EXPECT_THAT(diagnosis::drops_between(before, now), IsEmpty());
}

TEST(FilterDrops, TheListIsBounded) {
  FilterView before;
  for (std::size_t i = 0; i < 2 * diagnosis::kMaxFilterDrops; ++i)
    before.rules.push_back(rule(i, "10.1.0.0/24", "10.2.0.0/24"));
  FilterView now = before;
  for (FilterRule& r : now.rules) r.packets = 1;
  EXPECT_EQ(diagnosis::drops_between(before, now).size(), diagnosis::kMaxFilterDrops);
}

}  // namespace
}  // namespace tunnelwatch
