#include "agent/diagnosis/rules.h"

#include "agent/diagnosis/verdict.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::diagnosis {
namespace {

using F = FactId;

Facts with(std::initializer_list<FactId> yes, std::initializer_list<FactId> no = {}) {
  Facts facts;
  for (const FactId f : no) facts.deny(f, TimePoint{});
  for (const FactId f : yes) facts.affirm(f, TimePoint{}, Confidence::confirmed, {"seen", "看到"});
  return facts;
}

std::vector<std::string> names(const Facts& facts) {
  std::vector<std::string> out;
  for (const auto& f : diagnose(facts)) out.emplace_back(to_string(f.cause));
  return out;
}

TEST(Rules, NothingKnownIsNoCause) { EXPECT_TRUE(diagnose(Facts{}).empty()); }

TEST(Rules, EveryRuleIsReachedByTheFactsThatShowIt) {
  // Pairs of facts are enough for every row but those that need three or four.
  std::set<const Rule*> reached;
  const auto try_facts = [&](const Facts& facts) {
    for (const Rule& r : rules()) {
      if (r.when(facts)) reached.insert(&r);
    }
  };
  for (std::size_t a = 0; a < kFactCount; ++a) {
    for (std::size_t b = 0; b < kFactCount; ++b) {
      try_facts(with({static_cast<FactId>(a), static_cast<FactId>(b)}));
      try_facts(with({static_cast<FactId>(a)}, {static_cast<FactId>(b)}));
      try_facts(with({static_cast<FactId>(a)}, {static_cast<FactId>(b), F::gateway_loses, F::references_lose}));
    }
  }
  try_facts(with({F::ike_up, F::gateway_silent, F::inner_silent, F::probe_500_silent}));
  try_facts(with({F::esp_unreturned, F::inner_silent, F::gateway_answers_echo, F::child_up}));
  try_facts(with({F::inner_loses}, {F::gateway_loses, F::references_lose}));
  Facts passing = with({F::init_unanswered});
  passing.affirm(F::probe_500_answered, TimePoint{} + std::chrono::seconds(1), Confidence::confirmed,
                 {"later", "后来"});
  try_facts(passing);
  // What lasts while the tunnel stands.
  for (const F fact :
       {F::tunnel_address_absent, F::private_route_absent, F::private_route_elsewhere, F::flows_translated}) {
    Facts lasting = with({F::child_up, fact});
    lasting.affirm(fact, TimePoint{} + std::chrono::seconds(5), Confidence::likely, {"still", "仍然"});
    try_facts(lasting);
  }
  for (const F fact : {F::policy_absent, F::policy_conflict, F::spi_without_state, F::route_shared_out,
                       F::forwarding_refused, F::reverse_path_drops, F::connection_drops, F::filter_drops}) {
    Facts lasting = with({fact, F::child_up, F::inner_silent, F::esp_both_ways});
    lasting.affirm(fact, TimePoint{} + std::chrono::seconds(5), Confidence::likely, {"still", "仍然"});
    try_facts(lasting);
  }
  for (const F fact : {F::private_route_absent, F::private_route_elsewhere, F::inner_loses}) {
    Facts lasting = with({F::of_openvpn, F::client_link_up, fact});
    lasting.affirm(fact, TimePoint{} + std::chrono::seconds(5), Confidence::likely, {"still", "仍然"});
    try_facts(lasting);
  }
  EXPECT_EQ(reached.size(), rules().size());
}

TEST(Rules, SilenceOn500IsAFilterOnlyWhereSomethingElseAnswers) {
  EXPECT_THAT(names(with({F::init_unanswered})), testing::ElementsAre("exchange_timeout"));
  EXPECT_EQ(names(with({F::init_unanswered, F::gateway_answers_echo})).front(), "ike_port_500_blocked");
}

TEST(Rules, FirstPacketsAreLimitedOnlyWhereAProbePassesMeanwhile) {
  for (const int answered_at : {1, 20}) {
    SCOPED_TRACE(answered_at);
    Facts facts;
    facts.affirm(F::gateway_answers_echo, TimePoint{}, Confidence::confirmed, {"a", "b"});
    facts.affirm(F::init_unanswered, TimePoint{} + std::chrono::seconds(10), Confidence::likely, {"c", "d"});
    facts.affirm(F::probe_500_answered, TimePoint{} + std::chrono::seconds(answered_at), Confidence::confirmed,
                 {"e", "f"});
    EXPECT_EQ(names(facts).front(), answered_at > 10 ? "first_packet_limited" : "ike_port_500_blocked");
  }
}

TEST(Rules, AProbeLostWhileTheTunnelWorksIsNoAlarm) {
  EXPECT_TRUE(names(with({F::probe_500_silent, F::gateway_answers_echo, F::child_up, F::ike_up})).empty());
  EXPECT_FALSE(names(with({F::probe_500_silent, F::gateway_answers_echo})).empty());
}

TEST(Rules, ALivenessRequestThatWaitsIsNothingUnlessEchoesFailToo) {
  EXPECT_TRUE(names(with({F::liveness_waits, F::ike_up})).empty());
  EXPECT_THAT(names(with({F::liveness_waits, F::ike_up, F::gateway_silent})), testing::ElementsAre("dpd_timeout"));
  EXPECT_THAT(names(with({F::liveness_waits, F::ike_up, F::inner_silent})), testing::ElementsAre("dpd_timeout"));
}

TEST(Rules, LossIsWhoseItBegins) {
  EXPECT_THAT(names(with({F::gateway_loses, F::references_lose})), testing::ElementsAre("public_network_loss"));
  EXPECT_THAT(names(with({F::gateway_loses}, {F::references_lose})), testing::ElementsAre("peer_path_loss"));
  EXPECT_THAT(names(with({F::inner_loses}, {F::gateway_loses, F::references_lose})),
              testing::ElementsAre("tunnel_only_loss"));
  EXPECT_TRUE(names(with({F::gateway_loses})).empty()) << "no reference was seen: unknown whose loss it is";
}

TEST(Rules, AFindingIsNeverSurerThanItsFact) {
  Facts facts;
  facts.affirm(F::proposal_refused, TimePoint{}, Confidence::possible, {"a", "b"});
  ASSERT_EQ(diagnose(facts).size(), 1U);
  EXPECT_EQ(diagnose(facts).front().confidence, Confidence::possible);
}

TEST(Verdict, KeepsWhatATunnelRecoveredFrom) {
  Verdict verdict;
  const TimePoint later = TimePoint{} + std::chrono::seconds(5);
  EXPECT_EQ(verdict.update(diagnose(with({F::eap_refused})), TimePoint{}).size(), 1U);
  EXPECT_TRUE(verdict.update(diagnose(with({F::eap_refused})), later).empty());
  const auto changes = verdict.update({}, later);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_FALSE(changes.front().active);
  EXPECT_EQ(verdict.best(), nullptr);
  ASSERT_EQ(verdict.ranked().size(), 1U);
  EXPECT_EQ(verdict.ranked().front()->cleared, later);
}

TEST(Verdict, AMomentaryCauseIsHistoryAtOnce) {
  Verdict verdict;
  EXPECT_TRUE(verdict.update(diagnose(with({F::local_deleted})), TimePoint{}).empty());
  EXPECT_EQ(verdict.active_count(), 0U);
  ASSERT_EQ(verdict.ranked().size(), 1U);
  EXPECT_EQ(verdict.ranked().front()->cause, Cause::config_modify_or_manual_offline);
  EXPECT_TRUE(verdict.ranked().front()->cleared);
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
