#include "tests/probes/active/ike_probe_lab.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

// When which kind of probe is sent, and what silence means.
namespace tunnelwatch::active {
namespace {

using namespace probing;

TEST(IkeProbe, ThePeerThatAnswersTheCheapestKindIsAskedNothingElse) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(60s);
  for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
    const auto kinds = lab.kinds(port);
    EXPECT_GE(kinds.size(), 5U);
    EXPECT_LE(kinds.size(), 7U);
    EXPECT_EQ(std::count(kinds.begin(), kinds.end(), Kind::version3), static_cast<std::ptrdiff_t>(kinds.size()));
    EXPECT_EQ(lab.probe.known_kind(1, port), Kind::version3);
  }
  for (const auto& o : lab.seen) {
    EXPECT_EQ(o.outcome, Outcome::answered);
    EXPECT_EQ(o.answer_version, 2);
    EXPECT_EQ(o.answer_notify, 5);
    EXPECT_EQ(o.rtt, 20ms);
    EXPECT_EQ(o.from, kPeer);
    EXPECT_FALSE(o.full_answer);
  }
}

TEST(IkeProbe, TheLadderEndsAtTheFirstKindThatIsAnswered) {
  struct Row {
    const char* name;
    config::IkeVersion version;
    Kind answered;
    std::vector<Kind> asked;
  };
  using enum IkeProbeKind;
  const Row rows[] = {
      {"any, IKE_SA_INIT", config::IkeVersion::any, sa_init, {version3, sa_init}},
      {"any, main mode", config::IkeVersion::any, main_mode, {version3, sa_init, main_mode}},
      {"v1, main mode", config::IkeVersion::v1, main_mode, {version3, main_mode}},
      {"v2, IKE_SA_INIT", config::IkeVersion::v2, sa_init, {version3, sa_init}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Lab lab;
    lab.responder = answers_only(row.answered);
    lab.add(1, row.version);
    lab.run_for(6s);
    EXPECT_EQ(lab.kinds(500), row.asked);
    EXPECT_EQ(lab.outcomes(500), std::vector{Outcome::answered}) << "no silence while the ladder is climbed";
    lab.run_for(30s);
    EXPECT_EQ(lab.kinds(500).back(), row.answered);
    EXPECT_EQ(lab.probe.known_kind(1, 500), row.answered);
    EXPECT_EQ(lab.outcomes(500), lab.outcomes(4500));
    for (const auto& o : lab.seen) EXPECT_EQ(o.outcome, Outcome::answered);
  }
}

TEST(IkeProbe, APeerThatNeverAnsweredIsSilentOnceItsLadderWasTried) {
  struct Row {
    config::IkeVersion version;
    std::size_t rungs;
  };
  for (const Row& row :
       {Row{config::IkeVersion::any, 3}, Row{config::IkeVersion::v1, 2}, Row{config::IkeVersion::v2, 2}}) {
    Lab lab;
    lab.add(1, row.version);
    while (lab.outcomes(500).empty()) lab.run_for(100ms);
    EXPECT_EQ(lab.kinds(500).size(), row.rungs);
    EXPECT_EQ(lab.outcomes(500), std::vector{Outcome::silent});
    EXPECT_LT(lab.now - TimePoint{1h}, 7s);
  }
}

TEST(IkeProbe, APeerThatNeverAnswersIsAskedEverMoreSeldomDownToFiveMinutes) {
  Lab lab;
  lab.add();
  lab.run_for(2h);
  const auto sent = lab.on_port(500);
  EXPECT_LT(sent.size(), 40U);
  const Duration last_gap = sent.back().at - sent[sent.size() - 2].at;
  EXPECT_GE(last_gap, 270s);
  EXPECT_LE(last_gap, 330s);
  std::set<Kind> late_kinds;
  for (std::size_t i = sent.size() - 3; i < sent.size(); ++i) late_kinds.insert(sent[i].packet.kind);
  EXPECT_EQ(late_kinds.size(), 3U) << "each kind gets its turn";
}

TEST(IkeProbe, TheBackoffEndsWithTheFirstAnswer) {
  Lab lab;
  lab.add();
  lab.run_for(2h);
  lab.responder = answers_all;
  lab.run_for(6min);
  lab.sent.clear();
  lab.run_for(100s);
  EXPECT_GE(lab.on_port(500).size(), 9U);
}

TEST(IkeProbe, SuspicionGetsTwoProbesOneSecondApartWhateverTheBackoff) {
  for (const std::uint16_t burst : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{3}}) {
    Lab lab({.interval = 10s, .timeout = 1s, .burst = burst});
    lab.add();
    lab.run_for(2h);
    while (lab.on_port(500).back().at + 100s > lab.now || lab.on_port(500).back().at + 200s < lab.now) lab.run_for(1s);
    lab.sent.clear();
    lab.seen.clear();
    lab.probe.probe_now(1);
    lab.run_for(3s);
    ASSERT_EQ(lab.on_port(500).size(), 2U) << burst;
    EXPECT_GE(lab.on_port(500)[1].at - lab.on_port(500)[0].at, 1s);
    EXPECT_EQ(lab.outcomes(500), (std::vector{Outcome::silent, Outcome::silent}));
  }
}

TEST(IkeProbe, AKnownPeerThatFallsSilentIsToldAtOnceAndKeepsItsRate) {
  Lab lab;
  lab.responder = answers_only(Kind::version3);
  lab.add();
  lab.run_for(60s);
  lab.responder = nullptr;
  lab.sent.clear();
  lab.seen.clear();
  lab.run_for(100s);
  const auto kinds = lab.kinds(500);
  ASSERT_GE(kinds.size(), 8U);
  EXPECT_EQ(lab.outcomes(500).size(), kinds.size());
  EXPECT_EQ(kinds[0], Kind::version3);
  EXPECT_EQ(kinds[1], Kind::version3);
  EXPECT_EQ(kinds[2], Kind::sa_init) << "it may have changed: the other kinds get their turn";
  EXPECT_EQ(kinds[3], Kind::main_mode);
  EXPECT_EQ(kinds[4], Kind::version3);
}

TEST(IkeProbe, ProbeNowIsLimitedByTheBucketAndOnePerSecond) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(60s);
  lab.responder = nullptr;
  lab.sent.clear();
  const TimePoint start = lab.now;
  for (int i = 0; i < 3000; ++i) {
    lab.probe.probe_now(1);
    lab.run_for(100ms);
  }
  const auto sent = lab.on_port(500);
  for (std::size_t i = 1; i < sent.size(); ++i) ASSERT_GE(sent[i].at - sent[i - 1].at, 1s);
  const auto early = std::count_if(sent.begin(), sent.end(), [&](const auto& s) { return s.at < start + 5s; });
  EXPECT_LE(early, 4) << "the burst, and perhaps a regular one";
  EXPECT_GE(early, 3);
  EXPECT_LE(sent.size(), 30U + 3U + 4U) << "300 s at one an interval, 10 % up, plus the burst";
  EXPECT_GE(sent.size(), 28U);
}

TEST(IkeProbe, AnAnswerEndsTheSuspicion) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(60s);
  const std::size_t regular = lab.on_port(500).size();
  while (lab.on_port(500).size() == regular) lab.run_for(10ms);
  lab.run_for(2s);  // the next regular one is 7 s away at least
  lab.sent.clear();
  lab.probe.probe_now(1);
  lab.run_for(4s);
  EXPECT_EQ(lab.on_port(500).size(), 1U);
}

TEST(IkeProbe, RegularRequestsAreNeverTwoWithinASecondEither) {
  Lab lab({.interval = 1s, .timeout = 100ms, .burst = 3});
  lab.responder = answers_all;
  lab.add();
  lab.run_for(100s);
  const auto sent = lab.on_port(500);
  for (std::size_t i = 1; i < sent.size(); ++i) ASSERT_GE(sent[i].at - sent[i - 1].at, 1s) << "jitter or not";
}

TEST(IkeProbe, ADaysLimitHoldsWhateverTheReason) {
  config::IkeProbe settings;
  settings.interval = 1min;
  settings.daily_limit = 100;
  Lab lab(settings);
  lab.responder = answers_all;
  lab.probe.add_target(1, {kPeer, std::nullopt, config::IkeVersion::any}, lab.now);
  for (int i = 0; i < 23 * 60; ++i) {
    lab.probe.probe_now(1);  // suspicion that never ends
    lab.run_for(1min);
  }
  EXPECT_EQ(lab.on_port(500).size(), 100U);
  EXPECT_EQ(lab.on_port(4500).size(), 100U) << "each port has its own";
  EXPECT_EQ(lab.outcomes(500), std::vector<Outcome>(100, Outcome::answered)) << "what was not asked is no silence";
  lab.run_for(2h);
  EXPECT_GT(lab.on_port(500).size(), 100U) << "the next day";
  EXPECT_GE(lab.on_port(500)[100].at - lab.on_port(500)[0].at, 24h);
}

TEST(IkeProbe, WhatWasOutstandingWhenWeWereHeldUpIsNoSilence) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(30s);
  lab.responder = nullptr;
  lab.sent.clear();
  while (lab.on_port(500).empty()) lab.run_for(10ms);
  lab.seen.clear();
  lab.now += 7h;
  lab.wake();
  EXPECT_TRUE(lab.outcomes(500).empty());
  EXPECT_GE(lab.probe.counters().abandoned, 1U);
}

TEST(IkeProbe, APeerHasOneRequestOutstandingAndItsPortsTakeTurns) {
  Lab lab({.interval = 10s, .timeout = 5s, .burst = 3});
  lab.add();
  lab.run_for(30s);  // both ports are under way
  for (int i = 0; i < 300; ++i) {
    lab.probe.probe_now(1);
    lab.run_for(100ms);
  }
  ASSERT_GE(lab.sent.size(), 8U);
  for (std::size_t i = 1; i < lab.sent.size(); ++i) {
    EXPECT_GE(lab.sent[i].at - lab.sent[i - 1].at, 5s) << i;
    EXPECT_NE(lab.sent[i].packet.port, lab.sent[i - 1].packet.port) << i;
  }
  const auto& last = lab.sent.back();
  EXPECT_EQ(last.at - lab.sent[lab.sent.size() - 2].at, 5s) << "who waited for another port is asked at once";
}

TEST(IkeProbe, OfAPeerWithSeveralSourcesToo) {
  Lab lab({.interval = 2s, .timeout = 1s, .burst = 3});
  lab.probe.add_target(1, {.address = kPeer, .source = ip("192.0.2.10")}, lab.now);
  lab.probe.add_target(2, {.address = kPeer, .source = ip("192.0.2.11")}, lab.now);
  lab.run_for(60s);
  std::map<std::pair<std::uint16_t, IpAddress>, int> asked;
  for (std::size_t i = 0; i < lab.sent.size(); ++i) {
    ++asked[{lab.sent[i].packet.port, *lab.sent[i].packet.source}];
    if (i > 0) {
      EXPECT_GE(lab.sent[i].at - lab.sent[i - 1].at, 1s);
    }
  }
  ASSERT_EQ(asked.size(), 4U);
  for (const auto& [path, times] : asked) EXPECT_GE(times, 3);
}

TEST(IkeProbe, ASilentPortHoldsTheOtherForItsTimeoutOnly) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(60s);
  lab.responder = [](const IkeProbePacket& p) {
    return p.port == 500 ? std::optional<std::vector<std::uint8_t>>{} : answers_all(p);
  };
  lab.run_for(5s);
  lab.seen.clear();
  lab.probe.probe_now(1);
  lab.run_for(2500ms);
  EXPECT_EQ(lab.outcomes(500), (std::vector{Outcome::silent, Outcome::silent}));
  ASSERT_FALSE(lab.outcomes(4500).empty());
  EXPECT_EQ(lab.outcomes(4500).front(), Outcome::answered);
}

TEST(IkeProbe, WhereTheKernelGaveUpANeighbourTheOtherPortIsAskedAMomentLater) {
  for (const auto& [reason, wait] : {std::pair{RefusalReason::host_unreachable, Duration{1s}},
                                     std::pair{RefusalReason::port_unreachable, Duration{0s}}}) {
    Lab lab({.interval = 10s, .timeout = 5s, .burst = 3});
    lab.add();
    lab.run_for(3s);  // one port waits for the other
    ASSERT_EQ(lab.sent.size(), 1U);
    lab.probe.on_icmp_error(kPeer, lab.sent[0].packet.port, reason, kPeer, lab.now, lab.out);
    const TimePoint refused = lab.now;
    lab.run_for(2s);
    ASSERT_EQ(lab.sent.size(), 2U);
    EXPECT_EQ(lab.sent[1].at - refused, wait);
    EXPECT_NE(lab.sent[1].packet.port, lab.sent[0].packet.port);
  }
}

TEST(IkeProbe, WhoWaitedForOneThatIsRemovedIsAskedAtOnce) {
  Lab lab({.interval = 10s, .timeout = 5s, .burst = 3});
  lab.probe.add_target(1, {.address = kPeer, .source = ip("192.0.2.10")}, lab.now);
  while (lab.sent.empty()) lab.run_for(10ms);
  lab.probe.add_target(2, {.address = kPeer, .source = ip("192.0.2.11")}, lab.now);
  lab.run_for(2s);
  EXPECT_EQ(lab.sent.size(), 1U);
  lab.probe.remove_target(1);
  lab.run_for(10ms);
  ASSERT_EQ(lab.sent.size(), 2U);
  EXPECT_EQ(lab.sent[1].packet.source, ip("192.0.2.11"));
}

TEST(IkeProbe, SpisAreRandomAndKnownAsOurOwn) {
  Lab lab;
  lab.responder = answers_all;
  lab.add();
  lab.run_for(1000s);
  std::set<std::uint64_t> spis;
  for (const auto& s : lab.sent) {
    EXPECT_TRUE(spis.insert(s.packet.probe).second);
    EXPECT_TRUE(lab.probe.is_own_spi(s.packet.probe));
    EXPECT_EQ(read64(std::span(s.packet.bytes).subspan(s.packet.port == 4500 ? 4 : 0)), s.packet.probe);
  }
  EXPECT_FALSE(lab.probe.is_own_spi(1));
  EXPECT_FALSE(lab.probe.is_own_spi(0));
}

TEST(IkeProbe, OwnSpisAreForgottenInOrderBeyondTheBound) {
  Lab lab({.interval = 1s, .timeout = 500ms, .burst = 3});
  lab.responder = answers_all;
  lab.add();
  lab.run_for(std::chrono::seconds{IkeProbe::kRememberedSpis});
  ASSERT_GT(lab.sent.size(), IkeProbe::kRememberedSpis);
  EXPECT_FALSE(lab.probe.is_own_spi(lab.sent.front().packet.probe));
  EXPECT_TRUE(lab.probe.is_own_spi(lab.sent[lab.sent.size() - IkeProbe::kRememberedSpis].packet.probe));
  EXPECT_FALSE(lab.probe.is_own_spi(lab.sent[lab.sent.size() - IkeProbe::kRememberedSpis - 1].packet.probe));
}

TEST(IkeProbe, TargetsWithOnePeerShareRequestsAndEachIsTold) {
  Lab lab;
  lab.responder = answers_all;
  lab.add(1);
  lab.add(2);
  lab.run_for(5s);
  EXPECT_EQ(lab.on_port(500).size(), 1U);
  std::map<std::uint32_t, int> told;
  for (const auto& o : lab.seen) ++told[o.target];
  EXPECT_EQ(told, (std::map<std::uint32_t, int>{{1, 2}, {2, 2}}));
  lab.probe.remove_target(1);
  lab.seen.clear();
  lab.run_for(15s);
  EXPECT_FALSE(lab.seen.empty());
  for (const auto& o : lab.seen) EXPECT_EQ(o.target, 2U);
}

TEST(IkeProbe, TargetsThatDifferInTheVersionShareTheWholeLadder) {
  Lab lab;
  lab.responder = answers_only(Kind::main_mode);
  lab.add(1, config::IkeVersion::v2);
  lab.add(2, config::IkeVersion::v1);
  lab.run_for(10s);
  EXPECT_EQ(lab.probe.known_kind(1, 500), Kind::main_mode);
}

TEST(IkeProbe, AChangedAddressStartsAnewAndAnUnchangedTargetGoesOn) {
  Lab lab;
  lab.responder = answers_all;
  lab.add(1);
  lab.run_for(5s);
  lab.add(1);
  EXPECT_EQ(lab.probe.known_kind(1, 500), Kind::version3);
  lab.probe.add_target(1, {.address = ip("198.51.100.77"), .source = {}}, lab.now);
  EXPECT_EQ(lab.probe.known_kind(1, 500), std::nullopt);
  EXPECT_EQ(lab.probe.path_count(), 2U);
  lab.responder = nullptr;
  lab.sent.clear();
  lab.run_for(5s);
  for (const auto& s : lab.sent) EXPECT_EQ(s.packet.to, ip("198.51.100.77"));
  EXPECT_FALSE(lab.sent.empty());
}

TEST(IkeProbe, AThousandPeersAreSpread) {
  Lab lab;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    lab.probe.add_target(i, {.address = IpAddress::v4(0x0a000000U + i), .source = {}}, lab.now);
  }
  const TimePoint start = lab.now;
  lab.run_for(990ms);
  std::map<std::int64_t, int> per_50ms;
  for (const auto& s : lab.sent) ++per_50ms[(s.at - start) / 50ms];
  for (const auto& [at, count] : per_50ms) EXPECT_LE(count, 90) << at;
}

TEST(IkeProbe, AJumpOfHoursIsNoSilenceAndNoStorm) {
  Lab lab;
  lab.responder = answers_all;
  for (std::uint32_t i = 0; i < 500; ++i) {
    lab.probe.add_target(i, {.address = IpAddress::v4(0x0a000000U + i), .source = {}}, lab.now);
  }
  lab.run_for(20s);
  lab.sent.clear();
  lab.seen.clear();
  lab.now += 7h;
  lab.wake();
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_TRUE(lab.sent.empty());
  lab.run_for(100ms);
  EXPECT_LE(lab.sent.size(), 100U);
  EXPECT_GE(lab.sent.size(), 10U);
}

TEST(IkeProbe, OffersAloneLeaveOutTheVersionThatNobodyHas) {
  Lab lab;
  lab.probe.add_target(1, {.address = kPeer, .source = {}, .version = config::IkeVersion::v1, .offers_only = true},
                       lab.now);
  lab.run_for(40s);
  ASSERT_FALSE(lab.kinds(500).empty());
  for (const Kind kind : lab.kinds(500)) EXPECT_EQ(kind, Kind::main_mode);
  EXPECT_EQ(lab.outcomes(500)[0], Outcome::silent);
}

}  // namespace
}  // namespace tunnelwatch::active
