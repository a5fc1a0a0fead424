#include "probes/active/icmp_echo.h"

#include "tests/probes/active/echo_model.h"

#include <map>
#include <numeric>
#include <set>

namespace tunnelwatch::active {
namespace {

const IpAddress kPeer4 = ip("198.51.100.20");
const IpAddress kPeer6 = ip("2001:db8:b::20");

EchoParams every_second(std::chrono::milliseconds timeout = 800ms) {
  return {.interval = 1s, .timeout = timeout, .source = {}};
}

TEST(IcmpEcho, ARequestIsAWellFormedEchoRequestOfTheAskedSize) {
  for (const IpAddress& peer : {kPeer4, kPeer6}) {
    SCOPED_TRACE(peer.to_string());
    EchoModel m;
    m.echo.add_target(7, peer, {.payload_bytes = 101, .dont_fragment = true, .ttl = 9, .source = peer}, m.now);
    m.run_to_first_request();
    ASSERT_EQ(m.sent.size(), 1U);
    const Sent& s = m.sent[0];
    EXPECT_EQ(s.bytes.size(), 109U);
    EXPECT_EQ(s.bytes[0], peer.is_v4() ? 8 : 128);
    EXPECT_EQ(s.bytes[1], 0);
    EXPECT_EQ(s.bytes[4] << 8 | s.bytes[5], m.echo.id());
    EXPECT_EQ(static_cast<std::uint32_t>(s.bytes[6] << 8 | s.bytes[7]), s.packet.sequence & 0xffffU);
    if (peer.is_v4()) {
      EXPECT_EQ(checksum_of(s.bytes), 0);
    }
    EXPECT_TRUE(s.packet.dont_fragment);
    EXPECT_EQ(s.packet.ttl, 9);
    EXPECT_EQ(s.packet.source, peer);
  }
}

TEST(IcmpEcho, ASourceOfTheOtherFamilyIsIgnored) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.source = kPeer6}, m.now);
  m.run_to_first_request();
  EXPECT_EQ(m.sent.at(0).packet.source, std::nullopt);
}

TEST(IcmpEcho, APayloadTooSmallForTheNonceIsMadeLarger) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.payload_bytes = 0, .source = {}}, m.now);
  m.run_to_first_request();
  EXPECT_EQ(m.sent.at(0).bytes.size(), 32U);
}

TEST(IcmpEcho, IdAndSequenceDependOnTheSeed) {
  std::set<std::uint16_t> ids;
  std::set<std::uint32_t> sequences;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EchoModel m(seed);
    m.echo.add_target(1, kPeer4, every_second(), m.now);
    m.run_to_first_request();
    ids.insert(m.echo.id());
    sequences.insert(m.sent.at(0).packet.sequence);
  }
  EXPECT_GT(ids.size(), 45U);
  EXPECT_EQ(sequences.size(), 50U);
}

TEST(IcmpEcho, AReplyInTimeIsToldWithItsRoundTrip) {
  for (const IpAddress& peer : {kPeer4, kPeer6}) {
    SCOPED_TRACE(peer.to_string());
    EchoModel m;
    m.echo.add_target(7, peer, every_second(), m.now);
    m.run_to_first_request();
    m.answer(m.sent.at(0), 30ms);
    ASSERT_EQ(m.seen.size(), 1U);
    const EchoObservation& o = m.seen[0];
    EXPECT_EQ(o.target, 7U);
    EXPECT_EQ(o.sequence, m.sent[0].packet.sequence);
    EXPECT_EQ(o.outcome, EchoOutcome::reply);
    EXPECT_EQ(o.rtt, 30ms);
    EXPECT_EQ(o.ttl, 61);
    EXPECT_EQ(o.from, peer);
    EXPECT_EQ(o.sent, m.sent[0].at);
    EXPECT_EQ(o.at, m.sent[0].at + 30ms);
  }
}

TEST(IcmpEcho, TheRoundTripCountsFromTheStampOfSending) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent& s = m.sent.at(0);
  m.echo.on_sent(7, s.packet.sequence, s.at + 5ms);
  m.answer(s, 30ms);
  EXPECT_EQ(m.seen.at(0).rtt, 25ms);
}

TEST(IcmpEcho, AStampAfterTheReplyGivesARoundTripOfZero) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  m.answer(m.sent.at(0), -1ms);
  EXPECT_EQ(m.seen.at(0).rtt, 0ms);
}

TEST(IcmpEcho, LossIsToldAtTheTimeoutAndNotBefore) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const TimePoint sent = m.sent.at(0).at;
  m.run_until(sent + 799ms);
  EXPECT_TRUE(m.seen.empty()) << "a packet in flight is not lost";
  m.run_until(sent + 800ms);
  ASSERT_EQ(m.seen.size(), 1U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::lost);
  EXPECT_EQ(m.seen[0].sent, sent);
}

TEST(IcmpEcho, AReplyAfterTheLossIsLateAndOneMoreADuplicate) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent s = m.sent.at(0);
  m.run_until(s.at + 900ms);
  m.answer(s, 3s);
  m.answer(s, 3100ms);
  ASSERT_EQ(m.seen.size(), 3U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::lost);
  EXPECT_EQ(m.seen[1].outcome, EchoOutcome::late);
  EXPECT_EQ(m.seen[1].rtt, 3s);
  EXPECT_EQ(m.seen[2].outcome, EchoOutcome::duplicate);
}

TEST(IcmpEcho, AReplyReadBeforeTheTimerButStampedAfterTheTimeoutIsLostAndLate) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  m.answer(m.sent.at(0), 801ms);
  ASSERT_EQ(m.seen.size(), 2U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::lost);
  EXPECT_EQ(m.seen[1].outcome, EchoOutcome::late);
}

TEST(IcmpEcho, EachFurtherReplyIsADuplicate) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  for (int i = 0; i < 3; ++i) m.answer(m.sent.at(0), 10ms);
  EXPECT_EQ(m.count(EchoOutcome::reply), 1U);
  EXPECT_EQ(m.count(EchoOutcome::duplicate), 2U);
}

TEST(IcmpEcho, AnswersBeyondWhatIsRememberedAreUnmatched) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent first = m.sent.at(0);
  m.run_for(60s);
  m.seen.clear();
  m.answer(first, 60s);
  EXPECT_TRUE(m.seen.empty());
  EXPECT_EQ(m.echo.counters().unmatched, 1U);
}

TEST(IcmpEcho, AnAnswerIsRememberedForKRememberedIntervals) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent first = m.sent.at(0);
  m.run_until(first.at + std::chrono::seconds{IcmpEcho::kRemembered} - 1s);
  m.answer(first, 15s);
  EXPECT_EQ(m.count(EchoOutcome::late), 1U);
}

TEST(IcmpEcho, WhatIsNotOursIsCountedAndNotTold) {
  struct Row {
    const char* name;
    void (*spoil)(std::vector<std::uint8_t>&);
    std::uint64_t EchoCounters::*counter;
  };
  const Row rows[] = {
      {"wrong nonce", [](auto& b) { b[8] ^= 1; }, &EchoCounters::foreign},
      {"nonce of another target", [](auto& b) { b[19] ^= 1; }, &EchoCounters::foreign},
      {"nonce of another sequence", [](auto& b) { b[23] ^= 1; }, &EchoCounters::foreign},
      {"our id, another program's payload", [](auto& b) { std::fill(b.begin() + 8, b.end(), std::uint8_t{0xaa}); },
       &EchoCounters::foreign},
      {"our id, no payload", [](auto& b) { b.resize(8); }, &EchoCounters::foreign},
      {"an echo request of somebody", [](auto& b) { b[0] = 8; }, &EchoCounters::foreign},
      {"a redirect", [](auto& b) { b[0] = 5; }, &EchoCounters::foreign},
      {"source quench", [](auto& b) { b[0] = 4; }, &EchoCounters::foreign},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EchoModel m;
    m.echo.add_target(7, kPeer4, every_second(), m.now);
    m.run_to_first_request();
    auto bytes = EchoModel::reply_to(m.sent.at(0));
    row.spoil(bytes);
    set_checksum(bytes);
    m.receive(bytes, kPeer4, m.now);
    EXPECT_TRUE(m.seen.empty());
    EXPECT_EQ(m.echo.counters().*row.counter, 1U);
    m.answer(m.sent.at(0), 20ms);
    EXPECT_EQ(m.count(EchoOutcome::reply), 1U) << "the real reply still counts";
  }
}

TEST(IcmpEcho, ADamagedReplyIsMalformed) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  auto bytes = EchoModel::reply_to(m.sent.at(0));
  bytes.back() ^= 1;
  m.receive(bytes, kPeer4, m.now);
  EXPECT_TRUE(m.seen.empty());
  EXPECT_EQ(m.echo.counters().malformed, 1U);
}

TEST(IcmpEcho, AnIdUsedByAnotherProgramIsNoMatterWhereTheNonceIsRight) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  auto bytes = EchoModel::reply_to(m.sent.at(0));
  bytes[4] ^= 0xff;  // a NAT that did not map the id back
  set_checksum(bytes);
  m.receive(bytes, kPeer4, m.now);
  EXPECT_EQ(m.count(EchoOutcome::reply), 1U);
}

TEST(IcmpEcho, EveryTruncationOfAReplyIsRefused) {
  for (const IpAddress& peer : {kPeer4, kPeer6}) {
    EchoModel m;
    m.echo.add_target(7, peer, every_second(), m.now);
    m.run_to_first_request();
    const auto whole = EchoModel::reply_to(m.sent.at(0));
    for (std::size_t n = 0; n < 24; ++n) {
      SCOPED_TRACE(n);
      std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      if (n >= 8) set_checksum(cut);
      m.receive(cut, peer, m.now);
      ASSERT_TRUE(m.seen.empty());
    }
    const EchoCounters& c = m.echo.counters();
    EXPECT_EQ(c.malformed, 8U);
    EXPECT_EQ(c.foreign, 16U);
  }
}

TEST(IcmpEcho, ARemovedTargetEndsWithoutAWordAndItsRepliesAreUnmatched) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent s = m.sent.at(0);
  m.echo.remove_target(7);
  m.run_for(10s);
  m.answer(s, 10ms);
  EXPECT_TRUE(m.seen.empty());
  EXPECT_EQ(m.sent.size(), 1U);
  EXPECT_EQ(m.echo.counters().unmatched, 1U);
  EXPECT_EQ(m.echo.next_deadline(), std::nullopt);
  EXPECT_FALSE(m.echo.has_target(7));
}

TEST(IcmpEcho, ATargetAddedAnewDoesNotTakeTheOldOnesReplies) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent old = m.sent.at(0);
  m.echo.add_target(7, ip("198.51.100.21"), every_second(), m.now);
  m.answer(old, 10ms);
  EXPECT_TRUE(m.seen.empty());
  m.run_for(1s);
  EXPECT_EQ(m.sent.back().packet.to, ip("198.51.100.21"));
  EXPECT_EQ(m.echo.target_count(), 1U);
}

TEST(IcmpEcho, SlotsOfRemovedTargetsAreUsedAgain) {
  EchoModel m;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    m.echo.add_target(i, kPeer4, every_second(), m.now);
    if (i >= 10) m.echo.remove_target(i - 10);
  }
  EXPECT_EQ(m.echo.target_count(), 10U);
  m.run_for(1s);
  EXPECT_EQ(m.sent.size(), 10U);
}

TEST(IcmpEcho, ATimeoutLongerThanTheIntervalKeepsSeveralInFlight) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.interval = 100ms, .timeout = 1s, .source = {}}, m.now);
  m.run_for(950ms);
  ASSERT_GE(m.sent.size(), 9U);
  EXPECT_TRUE(m.seen.empty());
  const auto first = m.sent;
  for (const Sent& s : first) m.answer(s, 990ms);
  EXPECT_EQ(m.count(EchoOutcome::reply), first.size());
  m.run_for(10s);
  EXPECT_EQ(m.count(EchoOutcome::reply) + m.count(EchoOutcome::lost) + 10, m.sent.size());
}

TEST(IcmpEcho, AnAbsurdTimeoutIsCutToWhatMayBeInFlight) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.interval = 10ms, .timeout = 1h, .source = {}}, m.now);
  m.run_for(10s);
  const std::size_t settled = m.count(EchoOutcome::lost);
  EXPECT_LE(m.sent.size() - settled, IcmpEcho::kMaxInFlight);
  EXPECT_GT(settled, 900U);
}

TEST(IcmpEcho, AnIntervalOfZeroIsOneMillisecond) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.interval = 0ms, .timeout = 0ms, .source = {}}, m.now);
  m.run_for(100ms);
  EXPECT_GE(m.sent.size(), 99U);
  EXPECT_LE(m.sent.size(), 101U);
}

TEST(IcmpEcho, SequencesCountUpAcrossTheSixteenBitsOfTheWire) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.interval = 1ms, .timeout = 1ms, .source = {}}, m.now);
  std::size_t replies = 0;
  for (int i = 0; i < 70000; ++i) {
    m.run_for(1ms);
    ASSERT_EQ(m.sent.size(), 1U);
    m.answer(m.sent[0], 500us);
    replies += m.count(EchoOutcome::reply);
    m.sent.clear();
    m.seen.clear();
  }
  EXPECT_EQ(replies, 70000U);
}

TEST(IcmpEcho, SendErrorsEndTheirRequest) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const std::uint32_t sequence = m.sent.at(0).packet.sequence;
  m.echo.on_send_error(7, sequence, RefusalReason::no_route, m.now, m.out);
  m.echo.on_send_error(7, sequence, RefusalReason::no_route, m.now, m.out);
  m.echo.on_send_error(7, sequence + 100, RefusalReason::no_route, m.now, m.out);
  m.echo.on_send_error(8, sequence, RefusalReason::no_route, m.now, m.out);
  m.collect();
  ASSERT_EQ(m.seen.size(), 1U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::send_error);
  EXPECT_EQ(m.seen[0].reason, RefusalReason::no_route);
  m.run_until(m.sent[0].at + 999ms);
  EXPECT_EQ(m.seen.size(), 1U) << "nothing is lost that never left";
}

TEST(IcmpEcho, ABurstLeavesTogetherAndEachOfItIsSettled) {
  EchoModel lab;
  lab.echo.add_target(1, ip("192.0.2.1"), {.interval = 100ms, .timeout = 250ms, .source = {}, .burst = 20}, lab.now);
  lab.run_to_first_request();
  ASSERT_EQ(lab.sent.size(), 20U);
  for (const Sent& s : lab.sent) EXPECT_EQ(s.at, lab.sent.front().at);
  lab.run_for(1s);
  std::set<std::uint32_t> lost;
  for (const EchoObservation& o : lab.seen) {
    EXPECT_EQ(o.outcome, EchoOutcome::lost);
    EXPECT_TRUE(lost.insert(o.sequence).second);
  }
  EXPECT_EQ(lost.size(), 160U) << "eight bursts of eleven are older than the timeout";
}

TEST(IcmpEcho, WhatATargetAsksForIsInItsPackets) {
  EchoModel lab;
  lab.echo.add_target(1, ip("192.0.2.1"),
                      {.source = ip("192.0.2.9"), .burst = 0, .dscp = 46, .fwmark = 7, .interface_index = 3}, lab.now);
  lab.run_to_first_request();
  ASSERT_EQ(lab.sent.size(), 1U) << "a burst of none is one request";
  const EchoPacket& p = lab.sent.front().packet;
  EXPECT_EQ(p.dscp, 46);
  EXPECT_EQ(p.fwmark, 7U);
  EXPECT_EQ(p.interface_index, 3U);
}

TEST(IcmpEcho, HowLateARequestIsIsCounted) {
  EchoModel lab;
  lab.echo.add_target(1, ip("192.0.2.1"), {.interval = 1s, .source = {}}, lab.now);
  lab.run_to_first_request();
  EXPECT_EQ(lab.echo.counters().lag_counts[0], 1U) << "within the tick";
  lab.now += 1s + 15ms;
  lab.wake();
  EXPECT_EQ(lab.echo.counters().lag_counts[4], 1U) << "between 10 and 20 ms";
  lab.now += 5s;
  lab.wake();
  EXPECT_EQ(lab.echo.counters().lag_counts[8], 1U) << "skipped, and told";
}

// 80 requests at each shared tick of 8 ms, and each target once a second.
TEST(IcmpEcho, TenThousandTargetsArePacedEvenly) {
  EchoModel m;
  for (std::uint32_t i = 0; i < 10000; ++i) m.echo.add_target(i, IpAddress::v4(0x0a000000U + i), every_second(), m.now);
  const TimePoint start = m.now;
  m.run_for(3s);
  std::map<std::int64_t, int> per_tick;
  std::map<std::uint32_t, int> per_target;
  for (const Sent& s : m.sent) {
    ++per_tick[(s.at - start) / 8ms];
    ++per_target[s.packet.target];
  }
  EXPECT_EQ(per_target.size(), 10000U);
  for (const auto& [target, count] : per_target) ASSERT_EQ(count, 3) << target;
  for (const auto& [at, count] : per_tick) ASSERT_LE(count, 84) << at;
  EXPECT_GE(per_tick.size(), 374U);
}

TEST(IcmpEcho, OneFastTargetKeepsManyFromSharingCoarseTicks) {
  EchoModel m;
  for (std::uint32_t i = 0; i < 200; ++i) m.echo.add_target(i, kPeer4, every_second(), m.now);
  m.echo.add_target(1000, kPeer4, {.interval = 5ms, .timeout = 5ms, .source = {}}, m.now);
  m.run_for(1s);
  EXPECT_EQ(m.sent.size(), 400U);
  m.echo.remove_target(1000);
  m.run_for(1s);
  EXPECT_EQ(m.sent.size(), 600U);
  EXPECT_EQ(m.echo.next_deadline()->time_since_epoch() % 20ms, 0ms);
}

// What leaves together is worth a wake-up, and not so much that it waits for itself on a narrow line.
TEST(IcmpEcho, TheMoreIsAskedTheShorterTheWakeUpsThatTargetsShare) {
  struct Row {
    std::uint32_t targets;
    std::chrono::milliseconds interval, tick;
  };
  for (const auto& row :
       {Row{49, 1s, 1ms}, Row{50, 1s, 20ms}, Row{400, 1s, 20ms}, Row{500, 1s, 16ms}, Row{1000, 1s, 8ms},
        Row{5000, 1s, 8ms}, Row{499, 10s, 1ms}, Row{500, 10s, 20ms}, Row{5000, 10s, 16ms}}) {
    EchoModel m;
    for (std::uint32_t i = 0; i < row.targets; ++i) {
      m.echo.add_target(i, kPeer4, {.interval = row.interval, .source = {}}, m.now);
    }
    std::int64_t grid = 0;  // of all deadlines
    for (int i = 0; i < 20; ++i) {
      m.now = *m.echo.next_deadline();
      grid = std::gcd(grid, m.now.time_since_epoch() / 1ms);
      m.wake();
    }
    EXPECT_EQ(grid, row.tick / 1ms) << row.targets;
  }
}

TEST(IcmpEcho, AFewTargetsAreSpreadToo) {
  EchoModel m(3);
  for (std::uint32_t i = 0; i < 5; ++i) m.echo.add_target(i, kPeer4, every_second(), m.now);
  m.run_for(1s);
  ASSERT_EQ(m.sent.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(m.sent[i].at - m.sent[i - 1].at, 80ms);
}

TEST(IcmpEcho, ATargetKeepsItsPhase) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_for(100s);
  ASSERT_EQ(m.sent.size(), 100U);
  for (std::size_t i = 1; i < 100; ++i) ASSERT_EQ(m.sent[i].at - m.sent[i - 1].at, 1s);
}

// The process was stopped, or the machine was: now is hours later.
TEST(IcmpEcho, AJumpOfHoursBringsNeitherAStormNorFalseLoss) {
  EchoModel m;
  for (std::uint32_t i = 0; i < 1000; ++i) m.echo.add_target(i, kPeer4, every_second(), m.now);
  m.run_for(2s);
  const std::size_t sent_before = m.sent.size();
  m.seen.clear();
  m.now += 5h;
  m.wake();
  EXPECT_EQ(m.sent.size(), sent_before) << "nothing at once";
  EXPECT_EQ(m.count(EchoOutcome::lost), 0U);
  EXPECT_GT(m.echo.counters().abandoned, 700U);
  EXPECT_EQ(m.echo.counters().skipped, 1000U * 5 * 3600);
  const TimePoint back = m.now;
  m.run_for(1s);
  EXPECT_EQ(m.sent.size(), sent_before + 1000);
  std::map<std::int64_t, int> per_40ms;
  for (std::size_t i = sent_before; i < m.sent.size(); ++i) ++per_40ms[(m.sent[i].at - back) / 40ms];
  for (const auto& [at, count] : per_40ms) EXPECT_LE(count, 48) << "still paced, at " << at;
}

TEST(IcmpEcho, AReplyThatWaitedInTheSocketWhileWeWereHeldUpStillCounts) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent s = m.sent.at(0);
  m.now = s.at + 10s;
  m.wake();  // wrongly before reading; the reply's kernel stamp is in time all the same
  m.answer(s, 30ms);
  ASSERT_EQ(m.seen.size(), 1U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::reply);
  EXPECT_EQ(m.seen[0].rtt, 30ms);
}

TEST(IcmpEcho, AShortDelayOfTheLoopIsNoHoldUp) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, every_second(), m.now);
  m.run_to_first_request();
  const Sent s = m.sent.at(0);
  m.now = s.at + 1090ms;
  m.wake();
  EXPECT_EQ(m.count(EchoOutcome::lost), 1U);
  EXPECT_EQ(m.sent.size(), 2U) << "90 ms late: sent now";
  m.run_until(s.at + 2s);
  EXPECT_EQ(m.sent.size(), 3U) << "and the next one in its own phase";
  EXPECT_EQ(m.echo.counters().skipped, 0U);
}

TEST(IcmpEcho, AFastTargetDoesNotCatchUpAfterAShortDelay) {
  EchoModel m;
  m.echo.add_target(7, kPeer4, {.interval = 10ms, .timeout = 10ms, .source = {}}, m.now);
  m.run_for(100ms);
  const std::size_t before = m.sent.size();
  m.now += 95ms;
  m.wake();
  EXPECT_EQ(m.sent.size(), before + 1);
  EXPECT_GE(m.echo.counters().skipped, 8U);
}

}  // namespace
}  // namespace tunnelwatch::active
