#include "probes/active/esp_probe.h"

#include "probes/wire/esp_echo.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using Outcome = EspProbeOutcome;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A machine, its clock, and peers of which a test says what they answer.
struct EspProbeTest : testing::Test {
  struct Sent {
    EspProbePacket packet;
    TimePoint at;
  };
  void add(std::uint32_t id = 1) { probe.add_target(id, {peer, std::nullopt}, now); }
  void run_for(Duration d) {
    const TimePoint until = now + d;
    while (probe.next_deadline() && *probe.next_deadline() <= until) {
      now = std::max(now, *probe.next_deadline());
      wake();
    }
    now = until;
  }
  void wake() {
    probe.advance(now, out);
    const auto packets = std::move(out.packets);
    out.packets.clear();
    for (const auto& p : packets) {
      sent.push_back({p, now});
      probe.on_sent(p.probe, now);
      if (answers) reply(p, now + 20ms);
    }
    take();
  }
  void take() {
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    out.observations.clear();
  }
  static std::vector<std::uint8_t> answer_to(const EspProbePacket& p) {
    return wire::esp_echo_reply(*wire::parse_esp_echo(p.bytes));
  }
  void reply(const EspProbePacket& p, TimePoint at) {
    probe.on_reply(answer_to(p), p.to, at, out);
    take();
  }
  void refuse(std::span<const std::uint8_t> quoted, const IpAddress& offender,
              RefusalReason reason = RefusalReason::prohibited) {
    probe.on_icmp_error(
        {.to = peer, .offender = offender, .reason = reason, .type = 3, .code = 13, .received_at = now + 5ms}, quoted,
        out);
    take();
  }
  std::vector<Outcome> outcomes() const {
    std::vector<Outcome> list;
    for (const auto& o : seen) list.push_back(o.outcome);
    return list;
  }

  const IpAddress peer = ip("198.51.100.20");
  const IpAddress router = ip("203.0.113.1");
  TimePoint now{1h};
  EspProbe probe{1, {.interval = 60s, .timeout = 1s}};
  EspProbeActions out;
  bool answers = false;
  std::vector<Sent> sent;
  std::vector<EspProbeObservation> seen;
};

TEST_F(EspProbeTest, AnAnswerIsTold) {
  answers = true;
  add();
  run_for(10min);
  ASSERT_GE(sent.size(), 9U);
  EXPECT_LE(sent.size(), 12U);
  ASSERT_EQ(seen.size(), sent.size());
  for (const auto& o : seen) {
    EXPECT_EQ(o.outcome, Outcome::answered);
    EXPECT_EQ(o.target, 1U);
    EXPECT_EQ(o.rtt, Duration{20ms});
    EXPECT_EQ(o.from, peer);
  }
  EXPECT_FALSE(probe.waits());
}

TEST_F(EspProbeTest, WhatIsSentIsAnEchoRequestOfAReservedSpi) {
  add();
  run_for(3s);
  ASSERT_EQ(sent.size(), 1U);
  const auto echo = wire::parse_esp_echo(sent[0].packet.bytes);
  ASSERT_TRUE(echo);
  EXPECT_FALSE(echo->reply);
  EXPECT_EQ(echo->data.size(), EspProbe::kDataSize);
  EXPECT_EQ(sent[0].packet.targets, std::vector<std::uint32_t>{1});
}

TEST_F(EspProbeTest, SilenceIsToldAndAskedLessAndLess) {
  add();
  run_for(24h);
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const auto& o) { return o.outcome == Outcome::silent; }));
  ASSERT_GE(sent.size(), 10U);
  EXPECT_LE(sent.size(), 70U);  // half an hour apart
  for (std::size_t i = 8; i < sent.size(); ++i)
    EXPECT_LE(sent[i].at - sent[i - 1].at, Duration{EspProbe::kMaxBackoff * 11 / 10});
}

TEST_F(EspProbeTest, OneThatAnsweredBeforeIsAskedAtTheOrdinaryRate) {
  answers = true;
  add();
  run_for(2min);
  answers = false;
  sent.clear();
  run_for(60min);
  EXPECT_GE(sent.size(), 54U);
}

TEST_F(EspProbeTest, AnIcmpErrorIsTheReason) {
  struct Row {
    const char* name;
    RefusalReason reason;
    IpAddress offender;
    std::size_t quoted;
    bool by_peer;
  };
  for (const Row& row : {Row{"a filter", RefusalReason::prohibited, router, 24, false},
                         Row{"the 8 bytes that are promised", RefusalReason::prohibited, router, 8, false},
                         Row{"no such protocol", RefusalReason::protocol_unreachable, peer, 24, true},
                         Row{"a loop", RefusalReason::ttl_exceeded, router, 24, false}}) {
    SCOPED_TRACE(row.name);
    seen.clear();
    add();
    run_for(2s - 500ms);
    run_for(90s);
    ASSERT_FALSE(sent.empty());
    probe.probe_now(1);
    sent.clear();
    while (sent.empty()) run_for(100ms);
    seen.clear();
    refuse(std::span(sent.back().packet.bytes).first(row.quoted), row.offender, row.reason);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].outcome, Outcome::refused);
    EXPECT_EQ(seen[0].reason, row.reason);
    EXPECT_EQ(seen[0].from, row.offender);
    EXPECT_EQ(seen[0].by_peer, row.by_peer);
    EXPECT_EQ(seen[0].icmp_code, 13);
    run_for(1s);
    EXPECT_EQ(seen.size(), 1U) << "one outcome for one request";
    probe.remove_target(1);
  }
}

TEST_F(EspProbeTest, ForgedAnswersAndErrorsAreNotOurs) {
  add();
  while (sent.empty()) run_for(100ms);
  const auto& p = sent.back().packet;
  auto nonce = answer_to(p);
  nonce.back() ^= 1U;
  auto number = answer_to(p);
  number[15] ^= 1U;
  auto shorter = wire::esp_echo_reply(*wire::parse_esp_echo(wire::esp_echo_request(1, 0, 0, {})));
  std::copy_n(p.bytes.begin() + 12, 4, shorter.begin() + 12);
  for (const auto& bytes : {nonce, number, shorter, p.bytes}) probe.on_reply(bytes, peer, now, out);
  probe.on_reply(answer_to(p), router, now, out);
  EXPECT_EQ(probe.counters().foreign, 4U);
  EXPECT_EQ(probe.counters().unmatched, 1U);
  const auto whole = answer_to(p);
  for (std::size_t n = 0; n < whole.size(); ++n) probe.on_reply(std::span(whole).first(n), peer, now, out);
  EXPECT_EQ(probe.counters().malformed, whole.size());
  auto quoted = p.bytes;
  quoted.back() ^= 1U;
  refuse(quoted, router);
  quoted = p.bytes;
  quoted[3] = 9;
  refuse(quoted, router);
  quoted = p.bytes;
  quoted[7] ^= 1U;
  refuse(quoted, router);
  for (std::size_t n = 0; n < 8; ++n) refuse(std::span(p.bytes).first(n), router);
  take();
  EXPECT_TRUE(seen.empty());
  reply(p, now + 1ms);
  EXPECT_EQ(outcomes(), std::vector<Outcome>{Outcome::answered}) << "the genuine one still counts";
}

TEST_F(EspProbeTest, ALateAnswerCountsOnce) {
  add();
  run_for(4s);
  ASSERT_EQ(outcomes(), std::vector<Outcome>{Outcome::silent});
  reply(sent.back().packet, now);
  reply(sent.back().packet, now);
  EXPECT_EQ(outcomes(), (std::vector<Outcome>{Outcome::silent, Outcome::answered}));
  EXPECT_EQ(probe.counters().unmatched, 1U);
}

TEST_F(EspProbeTest, AnswersThatSayNothingOfTheSequenceAreTaken) {
  add();
  while (sent.empty()) run_for(100ms);
  auto bytes = answer_to(sent.back().packet);
  std::fill_n(bytes.begin() + 4, 4, std::uint8_t{0});
  probe.on_reply(bytes, peer, now, out);
  take();
  EXPECT_EQ(outcomes(), std::vector<Outcome>{Outcome::answered});
}

TEST_F(EspProbeTest, SuspicionIsBounded) {
  add();
  run_for(5s);
  sent.clear();
  for (int i = 0; i < 6000; ++i) {
    probe.probe_now(1);
    run_for(100ms);
  }
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_GE(sent[i].at - sent[i - 1].at, Duration{EspProbe::kMinGap});
  EXPECT_GE(sent.size(), 10U);
  EXPECT_LE(sent.size(), 10U + EspProbe::kBurst) << "ten minutes";
}

TEST_F(EspProbeTest, OneIsOutstandingAtATime) {
  probe = EspProbe{1, {.interval = 60s, .timeout = 10s}};
  add();
  for (int i = 0; i < 1200; ++i) {
    probe.probe_now(1);
    run_for(100ms);
  }
  ASSERT_GE(sent.size(), 3U);
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_GE(sent[i].at - sent[i - 1].at, Duration{10s});
}

TEST_F(EspProbeTest, TunnelsToOnePeerShareItsRequests) {
  add(1);
  add(2);
  probe.add_target(3, {peer, ip("192.0.2.10")}, now);
  answers = true;
  EXPECT_EQ(probe.path_count(), 3U);
  while (sent.empty()) run_for(50ms);
  run_for(3s);
  const auto shared = std::count_if(sent.begin(), sent.end(), [](const Sent& s) { return !s.packet.source; });
  EXPECT_EQ(shared, 1);
  for (const std::uint32_t id : {1U, 2U, 3U}) {
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [&](const auto& o) { return o.target == id; }), 1) << id;
  }
  probe.remove_target(1);
  probe.remove_target(2);
  probe.remove_target(3);
  EXPECT_FALSE(probe.next_deadline());
}

TEST_F(EspProbeTest, WhatIsNotNeededIsNotTold) {
  add();
  now = *probe.next_deadline();
  probe.advance(now, out);
  ASSERT_EQ(out.packets.size(), 1U);
  EXPECT_TRUE(probe.waits());
  probe.withdraw(out.packets[0].probe);
  out.clear();
  EXPECT_FALSE(probe.waits());
  EXPECT_GE(*probe.next_deadline() - now, Duration{54s});
  run_for(30s);
  EXPECT_TRUE(seen.empty());
}

TEST_F(EspProbeTest, WhatNeverLeftIsTold) {
  add();
  now = *probe.next_deadline();
  probe.advance(now, out);
  ASSERT_EQ(out.packets.size(), 1U);
  probe.on_send_error(out.packets[0].probe, RefusalReason::no_route, now, out);
  take();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].outcome, Outcome::send_error);
  EXPECT_EQ(seen[0].reason, RefusalReason::no_route);
  EXPECT_FALSE(probe.waits());
}

TEST_F(EspProbeTest, AnAgentThatWasHeldUpTellsNoSilence) {
  add();
  run_for(3s);
  seen.clear();
  probe.probe_now(1);
  sent.clear();
  while (sent.empty()) run_for(100ms);
  now += 1h;
  wake();
  EXPECT_TRUE(seen.empty());
  EXPECT_FALSE(probe.waits()) << "nor is one asked at once: all peers would be";
}

TEST_F(EspProbeTest, AnotherAddressBeginsAnew) {
  add();
  while (sent.empty()) run_for(100ms);
  const auto old = sent.back().packet;
  probe.add_target(1, {ip("198.51.100.21"), std::nullopt}, now);
  EXPECT_FALSE(probe.waits());
  reply(old, now);
  EXPECT_TRUE(seen.empty());
  sent.clear();
  run_for(3s);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].packet.to, ip("198.51.100.21"));
}

}  // namespace
}  // namespace tunnelwatch::active
