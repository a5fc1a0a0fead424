#include "probes/active/echo_statistics.h"

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1h};

EchoObservation reply(Duration at, Duration rtt) {
  return {.outcome = EchoOutcome::reply, .rtt = rtt, .at = kStart + at, .from = {}};
}
EchoObservation lost(Duration at) { return {.outcome = EchoOutcome::lost, .at = kStart + at, .from = {}}; }
EchoObservation refused(Duration at, RefusalReason reason, bool after_loss = false) {
  return {.outcome = EchoOutcome::refused, .reason = reason, .after_loss = after_loss, .at = kStart + at, .from = {}};
}

TEST(WilsonInterval, MatchesKnownValues) {
  struct Row {
    const char* name;
    std::uint64_t hits, trials;
    double lower, upper;
  };
  const Row rows[] = {
      {"nothing tried", 0, 0, 0, 1},           {"none of ten", 0, 10, 0, 0.2775},
      {"all of ten", 10, 10, 0.7225, 1},       {"half of ten", 5, 10, 0.2366, 0.7634},
      {"one of sixty", 1, 60, 0.0030, 0.0886}, {"ten of a hundred", 10, 100, 0.0552, 0.1744},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Interval i = wilson_interval(row.hits, row.trials);
    EXPECT_NEAR(i.lower, row.lower, 1e-4);
    EXPECT_NEAR(i.upper, row.upper, 1e-4);
  }
}

TEST(RttBounds, AreTwentyDoublingsOfFiftyMicroseconds) {
  const auto& b = rtt_bounds();
  ASSERT_EQ(b.size(), 20U);
  EXPECT_DOUBLE_EQ(b[0], 50e-6);
  for (std::size_t i = 1; i < b.size(); ++i) EXPECT_DOUBLE_EQ(b[i], 2 * b[i - 1]);
}

TEST(EchoStatistics, EachOutcomeHasItsCounter) {
  EchoStatistics s;
  for (int i = 0; i < 6; ++i) s.on_request();
  s.on_observation(reply(0s, 10ms));
  s.on_observation(lost(1s));
  s.on_observation({.outcome = EchoOutcome::late, .rtt = 2s, .at = kStart + 3s, .from = {}});
  s.on_observation({.outcome = EchoOutcome::duplicate, .at = kStart + 3s, .from = {}});
  s.on_observation(refused(4s, RefusalReason::prohibited));
  s.on_observation(
      {.outcome = EchoOutcome::send_error, .reason = RefusalReason::no_route, .at = kStart + 5s, .from = {}});
  const EchoTotals& t = s.totals();
  EXPECT_EQ(t.requests, 6U);
  EXPECT_EQ(t.replies, 1U);
  EXPECT_EQ(t.lost, 1U);
  EXPECT_EQ(t.late, 1U);
  EXPECT_EQ(t.duplicates, 1U);
  EXPECT_EQ(t.send_errors, 1U);
  EXPECT_EQ(t.refused[static_cast<std::size_t>(RefusalReason::prohibited)], 1U);
  EXPECT_EQ(t.refused[static_cast<std::size_t>(RefusalReason::no_route)], 1U);
  EXPECT_DOUBLE_EQ(t.rtt_seconds_sum, 0.010) << "late and duplicate replies are not in the histogram";
}

TEST(EchoStatistics, ABucketHoldsWhatIsAtMostItsBound) {
  struct Row {
    Duration rtt;
    std::size_t bucket;
  };
  for (const Row& row :
       {Row{0ns, 0}, Row{50us, 0}, Row{51us, 1}, Row{100us, 1}, Row{1ms, 5}, Row{26s, 19}, Row{27s, 20}}) {
    EchoStatistics s;
    s.on_observation(reply(0s, row.rtt));
    EXPECT_EQ(s.totals().rtt_counts[row.bucket], 1U) << row.rtt.count();
  }
}

TEST(EchoStatistics, TheWindowCountsWhatWasSettledInIt) {
  EchoStatistics s{10s};
  for (int i = 0; i < 20; ++i) {
    const auto at = std::chrono::seconds{i};
    s.on_observation(i % 2 == 0 ? reply(at, 10ms) : lost(at));
  }
  const EchoWindow w = s.window(kStart + 19s);
  EXPECT_EQ(w.sent, 11U);
  EXPECT_EQ(w.lost, 6U);
  EXPECT_NEAR(w.loss_ratio.lower, wilson_interval(6, 11).lower, 1e-12);
  EXPECT_EQ(s.window(kStart + 1h).sent, 0U) << "a target that is no longer asked has an empty window";
  EXPECT_DOUBLE_EQ(s.window(kStart + 1h).loss_ratio.upper, 1);
}

TEST(EchoStatistics, PercentilesAreByNearestRank) {
  EchoStatistics s{60s};
  for (int i = 1; i <= 20; ++i) s.on_observation(reply(std::chrono::seconds{i}, std::chrono::milliseconds{21 - i}));
  const EchoWindow w = s.window(kStart + 20s);
  EXPECT_NEAR(to_seconds(*w.rtt_min), 0.001, 1e-7);
  EXPECT_NEAR(to_seconds(*w.rtt_median), 0.010, 1e-7);
  EXPECT_NEAR(to_seconds(*w.rtt_p95), 0.019, 1e-7);
  EXPECT_EQ(EchoStatistics{}.window(kStart).rtt_median, std::nullopt);
}

TEST(EchoStatistics, ConsecutiveLossesEndWithAnySignOfLife) {
  EchoStatistics s;
  s.on_observation(lost(1s));
  s.on_observation(refused(2s, RefusalReason::host_unreachable));
  EXPECT_EQ(s.window(kStart + 2s).consecutive_losses, 2U);
  s.on_observation({.outcome = EchoOutcome::late, .at = kStart + 3s, .from = {}});
  EXPECT_EQ(s.window(kStart + 3s).consecutive_losses, 0U);
  EXPECT_EQ(s.window(kStart + 3s).last_reply, kStart + 3s);
  EXPECT_EQ(s.window(kStart + 3s).lost, 2U);
}

TEST(EchoStatistics, ALateRefusalExplainsALossAndIsNoSecondOne) {
  EchoStatistics s;
  s.on_observation(lost(1s));
  s.on_observation(refused(4s, RefusalReason::host_unreachable, /*after_loss=*/true));
  const EchoWindow w = s.window(kStart + 4s);
  EXPECT_EQ(w.sent, 1U);
  EXPECT_EQ(w.lost, 1U);
  EXPECT_EQ(w.refused, 1U);
  EXPECT_EQ(w.consecutive_losses, 1U);
  EXPECT_EQ(w.last_reason, RefusalReason::host_unreachable);
  EXPECT_EQ(s.totals().lost, 1U);
}

TEST(EchoStatistics, SendErrorsAreNoLoss) {
  EchoStatistics s;
  s.on_observation({.outcome = EchoOutcome::send_error, .reason = RefusalReason::no_route, .at = kStart, .from = {}});
  const EchoWindow w = s.window(kStart);
  EXPECT_EQ(w.sent, 0U);
  EXPECT_EQ(w.lost, 0U);
  EXPECT_EQ(w.send_errors, 1U);
  EXPECT_EQ(w.last_reason, RefusalReason::no_route);
}

TEST(EchoStatistics, JitterFollowsRfc3550) {
  EchoStatistics s;
  s.on_observation(reply(1s, 10ms));
  EXPECT_EQ(s.window(kStart + 1s).jitter, 0ns);
  s.on_observation(reply(2s, 26ms));
  EXPECT_NEAR(to_seconds(s.window(kStart + 2s).jitter), 0.001, 1e-9);
  s.on_observation(reply(3s, 26ms));
  EXPECT_NEAR(to_seconds(s.window(kStart + 3s).jitter), 0.001 - 0.001 / 16, 1e-9);
}

TEST(EchoStatistics, AReplyBehindALaterOneIsReordered) {
  EchoStatistics s;
  const auto answered = [&](std::uint32_t sequence, EchoOutcome outcome) {
    s.on_observation({.sequence = sequence, .outcome = outcome, .rtt = 1ms, .at = kStart, .from = {}});
  };
  answered(0xfffffffeU, EchoOutcome::reply);
  answered(1, EchoOutcome::reply);  // the numbers went round
  EXPECT_EQ(s.totals().reordered, 0U);
  answered(0xffffffffU, EchoOutcome::reply);
  answered(0, EchoOutcome::late);
  answered(0, EchoOutcome::duplicate);
  EXPECT_EQ(s.totals().reordered, 2U) << "a duplicate is told as such alone";
  answered(2, EchoOutcome::reply);
  s.on_restart();
  answered(1, EchoOutcome::reply);
  EXPECT_EQ(s.totals().reordered, 2U) << "numbered anew";
}

TEST(EchoStatistics, AnotherTtlIsAChangeAndOneNotToldIsNone) {
  EchoStatistics s;
  EXPECT_EQ(s.reply_ttl(), std::nullopt);
  for (const std::uint8_t ttl : std::initializer_list<std::uint8_t>{61, 61, 0, 61, 58, 61}) {
    s.on_observation({.outcome = EchoOutcome::reply, .ttl = ttl, .rtt = 1ms, .at = kStart, .from = {}});
  }
  EXPECT_EQ(s.reply_ttl(), 61);
  EXPECT_EQ(s.totals().ttl_changes, 2U);
}

TEST(EchoStatistics, JitterIsNotKnownBeforeTheSecondReply) {
  EchoStatistics s;
  s.on_observation(reply(0s, 10ms));
  EXPECT_EQ(s.jitter_seconds(), std::nullopt);
  s.on_observation(reply(1s, 26ms));
  EXPECT_DOUBLE_EQ(s.jitter_seconds().value_or(0), 0.001);
}

TEST(EchoStatistics, BucketsAreThoseThatItIsGiven) {
  const std::vector<double> bounds{0.01, 0.1};
  EchoStatistics s(60s, bounds);
  for (const Duration rtt : {Duration{5ms}, Duration{10ms}, Duration{50ms}, Duration{2s}})
    s.on_observation(reply(0s, rtt));
  EXPECT_EQ(s.totals().rtt_counts, (std::vector<std::uint64_t>{2, 1, 1}));
}

TEST(EchoStatistics, TheNewestRoundTripsAreThoseOfLateRepliesToo) {
  EchoStatistics s;
  for (int i = 0; i < 4; ++i) s.on_observation(reply(i * 1s, 10ms));
  EXPECT_EQ(s.window(kStart + 4s).rtt_newest, std::nullopt) << "too few";
  for (int i = 4; i < 8; ++i) {
    s.on_observation(lost(i * 1s));
    s.on_observation({.outcome = EchoOutcome::late, .rtt = 900ms, .at = kStart + i * 1s, .from = {}});
  }
  const EchoWindow w = s.window(kStart + 8s);
  ASSERT_TRUE(w.rtt_newest);
  EXPECT_NEAR(to_seconds(*w.rtt_newest), 0.9, 1e-6);
  EXPECT_EQ(w.sent, 8U) << "a late reply is no second request";
  EXPECT_EQ(w.lost, 4U);
  EXPECT_NEAR(to_seconds(*w.rtt_median), 0.01, 1e-6) << "of those in time";
}

TEST(EchoStatistics, WithoutAWindowNothingIsRemembered) {
  EchoStatistics s(0s);
  s.on_observation(reply(0s, 5ms));
  s.on_observation(lost(1s));
  EXPECT_EQ(s.totals().lost, 1U);
  EXPECT_EQ(s.window(kStart + 1s).sent, 0U);
}

TEST(EchoStatistics, SamplesAreBounded) {
  EchoStatistics s{3600s};
  for (int i = 0; i < 5000; ++i) s.on_observation(lost(std::chrono::milliseconds{i}));
  EXPECT_EQ(s.window(kStart + 5s).sent, EchoStatistics::kMaxSamples);
  EXPECT_EQ(s.totals().lost, 5000U);
}

}  // namespace
}  // namespace tunnelwatch::active
