#include "probes/active/ike_probe.h"

#include "probes/active/ike_request.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using Kind = IkeProbeKind;
using Outcome = IkeProbeOutcome;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const IpAddress kPeer = ip("198.51.100.20");
const config::IkeProbe kSettings{.interval = 10s, .timeout = 1s, .burst = 3};

std::uint64_t read64(std::span<const std::uint8_t> b) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < 8; ++i) v = v << 8 | b[i];
  return v;
}

// The answer of a responder: header and one notify (v1 or v2), or a bare header where `notify` is 0.
std::vector<std::uint8_t> answer_to(const IkeProbePacket& p, unsigned version, std::uint16_t notify) {
  const std::size_t marker = p.port == 4500 ? 4 : 0;
  std::vector<std::uint8_t> b(p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(marker + 8));
  const auto put = [&](std::initializer_list<unsigned> bytes) {
    for (const unsigned x : bytes) b.push_back(static_cast<std::uint8_t>(x));
  };
  const unsigned high = notify >> 8, low = notify & 0xffU;
  const bool v1 = version == 1;
  put({0, 0, 0, 0, 0, 0, 0, 0});
  put({notify == 0 ? 0U : v1 ? 11U : 41U, version << 4, v1 ? 5U : 34U, v1 ? 0U : 0x20U, 0, 0, 0, 0, 0, 0, 0, 0});
  if (notify != 0) {
    if (v1) {
      put({0, 0, 0, 12, 0, 0, 0, 1, 1, 0, high, low});
    } else {
      put({0, 0, 0, 8, 0, 0, high, low});
    }
  }
  b[marker + 27] = static_cast<std::uint8_t>(b.size() - marker);
  return b;
}

// A peer of which a test says what it answers, and the wire to it.
class Lab {
 public:
  using Responder = std::function<std::optional<std::vector<std::uint8_t>>(const IkeProbePacket&)>;

  explicit Lab(const config::IkeProbe& settings = kSettings) : probe(1, settings) {}

  void add(std::uint32_t id = 1, config::IkeVersion version = config::IkeVersion::any) {
    probe.add_target(id, {.address = kPeer, .source = {}, .version = version}, now);
  }
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
    collect();
  }
  void collect() {
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    const auto packets = std::move(out.packets);
    out.clear();
    for (const IkeProbePacket& p : packets) {
      sent.push_back({p, now});
      probe.on_sent(p.probe, now);
      if (!responder) continue;
      if (const auto bytes = responder(p)) receive(*bytes, kPeer, p.port, now + 20ms);
    }
  }
  void receive(const std::vector<std::uint8_t>& bytes, const IpAddress& from, std::uint16_t port, TimePoint at) {
    probe.on_datagram(bytes, from, port, at, out);
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    out.observations.clear();
  }
  struct SentPacket {
    IkeProbePacket packet;
    TimePoint at;
  };
  std::vector<SentPacket> on_port(std::uint16_t port) const {
    std::vector<SentPacket> found;
    for (const auto& s : sent) {
      if (s.packet.port == port) found.push_back(s);
    }
    return found;
  }
  std::vector<Kind> kinds(std::uint16_t port) const {
    std::vector<Kind> found;
    for (const auto& s : on_port(port)) found.push_back(s.packet.kind);
    return found;
  }
  std::vector<Outcome> outcomes(std::uint16_t port) const {
    std::vector<Outcome> found;
    for (const auto& o : seen) {
      if (o.port == port) found.push_back(o.outcome);
    }
    return found;
  }

  IkeProbe probe;
  TimePoint now{1h};
  IkeProbeActions out;
  Responder responder;
  std::vector<SentPacket> sent;
  std::vector<IkeProbeObservation> seen;
};

std::optional<std::vector<std::uint8_t>> answers_all(const IkeProbePacket& p) {
  return answer_to(p, 2, p.kind == Kind::version3 ? 5 : 14);
}
Lab::Responder answers_only(Kind kind) {
  return [kind](const IkeProbePacket& p) {
    return p.kind == kind ? answers_all(p) : std::optional<std::vector<std::uint8_t>>{};
  };
}

// ---- the bytes

TEST(IkeRequest, HasTheLengthThatItSaysAndOurSpi) {
  struct Row {
    Kind kind;
    std::size_t size;
    unsigned first, version, exchange;
  };
  for (const Row& row : {Row{Kind::version3, 28, 0, 0x30, 34}, Row{Kind::sa_init, 148, 33, 0x20, 34},
                         Row{Kind::main_mode, 80, 1, 0x10, 2}}) {
    for (const std::size_t marker : {0U, 4U}) {
      SCOPED_TRACE(row.size + marker);
      KeyedRandom random(1);
      const auto b = ike_request(row.kind, 0x0102030405060708, marker != 0, random);
      ASSERT_EQ(b.size(), row.size + marker);
      EXPECT_TRUE(
          std::all_of(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(marker), [](auto x) { return x == 0; }));
      const auto m = std::span(b).subspan(marker);
      EXPECT_EQ(read64(m), 0x0102030405060708U);
      EXPECT_EQ(read64(m.subspan(8)), 0U) << "never an SPI of the responder: no request may join an exchange";
      EXPECT_EQ(m[16], row.first);
      EXPECT_EQ(m[17], row.version);
      EXPECT_EQ(m[18], row.exchange);
      EXPECT_EQ(m[26] << 8 | m[27], static_cast<int>(row.size));
    }
  }
}

TEST(IkeRequest, PayloadsEndWhereTheMessageEnds) {
  for (const Kind kind : {Kind::sa_init, Kind::main_mode}) {
    KeyedRandom random(1);
    const auto b = ike_request(kind, 1, false, random);
    std::size_t at = 28;
    unsigned type = b[16];
    int payloads = 0;
    while (type != 0 && at + 4 <= b.size()) {
      type = b[at];
      at += static_cast<std::size_t>(b[at + 2] << 8 | b[at + 3]);
      ++payloads;
    }
    EXPECT_EQ(at, b.size());
    EXPECT_EQ(payloads, kind == Kind::sa_init ? 3 : 1);
  }
}

TEST(IkeAnswer, EveryTruncationIsNoMessage) {
  const IkeProbePacket p{.probe = 1, .to = kPeer, .source = {}, .bytes = std::vector<std::uint8_t>(28, 1)};
  for (const unsigned version : {1U, 2U}) {
    const auto whole = answer_to(p, version, 14);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      ASSERT_FALSE(read_ike_answer(std::span(whole).first(n))) << n;
    }
    const auto read = read_ike_answer(whole);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->version, version);
    EXPECT_EQ(read->notify, 14);
    EXPECT_FALSE(read->reflected);
    EXPECT_FALSE(read->has_sa);
  }
}

TEST(IkeAnswer, DamageInThePayloadsEndsTheirReading) {
  struct Row {
    const char* name;
    std::size_t at;
    std::uint8_t value;
    std::uint16_t notify;
  };
  const IkeProbePacket p{.probe = 1, .to = kPeer, .source = {}, .bytes = std::vector<std::uint8_t>(28, 1)};
  for (const Row& row :
       {Row{"whole", 28, 0, 14}, Row{"payload length 3", 31, 3, 0}, Row{"payload length 0", 31, 0, 0},
        Row{"payload too long", 31, 9, 0}, Row{"too short for a type", 31, 7, 0}, Row{"another payload", 16, 43, 0}}) {
    SCOPED_TRACE(row.name);
    auto b = answer_to(p, 2, 14);
    b[row.at] = row.value;
    const auto read = read_ike_answer(b);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->notify, row.notify);
  }
}

TEST(IkeAnswer, AnErrorOutranksAStatusNotify) {
  const IkeProbePacket p{.probe = 1, .to = kPeer, .source = {}, .bytes = std::vector<std::uint8_t>(28, 1)};
  auto b = answer_to(p, 2, 16390);
  EXPECT_EQ(read_ike_answer(b)->notify, 16390);
  b[28] = 41;
  b.insert(b.end(), {0, 0, 0, 8, 0, 0, 0, 17});
  b[27] = static_cast<std::uint8_t>(b.size());
  EXPECT_EQ(read_ike_answer(b)->notify, 17);
}

TEST(IkeAnswer, OurOwnRequestsAreTakenForReflections) {
  for (const Kind kind : {Kind::version3, Kind::sa_init, Kind::main_mode}) {
    KeyedRandom random(1);
    const auto read = read_ike_answer(ike_request(kind, 1, false, random));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->reflected);
  }
}

// ---- the ladder

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

TEST(IkeProbe, OneRequestAtATimeIsOutstanding) {
  Lab lab({.interval = 10s, .timeout = 5s, .burst = 3});
  lab.add();
  for (int i = 0; i < 100; ++i) {
    lab.probe.probe_now(1);
    lab.run_for(100ms);
  }
  const auto sent = lab.on_port(500);
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_GE(sent[i].at - sent[i - 1].at, 5s);
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

// ---- what is an answer

struct IkeProbeAnswers : testing::Test {
  void SetUp() override {
    lab.add();
    while (lab.on_port(500).empty() || lab.on_port(4500).empty()) lab.run_for(10ms);
    for (const auto& s : lab.sent) (s.packet.port == 500 ? p500 : p4500) = s.packet;
  }
  Lab lab;
  IkeProbePacket p500, p4500;
};

TEST_F(IkeProbeAnswers, OnlyTheRightSpiAddressAndPortCount) {
  const auto good = answer_to(p500, 2, 5);
  auto wrong_spi = good;
  wrong_spi[0] ^= 1;
  lab.receive(wrong_spi, kPeer, 500, lab.now);
  lab.receive(good, ip("198.51.100.21"), 500, lab.now);
  lab.receive(p500.bytes, kPeer, 500, lab.now);  // reflected
  lab.receive(good, kPeer, 501, lab.now);
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.probe.counters().foreign, 4U);
  lab.receive(good, kPeer, 500, lab.now);
  EXPECT_EQ(lab.seen.size(), 1U);
}

TEST_F(IkeProbeAnswers, OnPort4500OnlyWhatIsBehindTheMarkerIsIke) {
  const auto marked = answer_to(p4500, 2, 5);
  lab.receive({marked.begin() + 4, marked.end()}, kPeer, 4500, lab.now);
  lab.receive({0xff}, kPeer, 4500, lab.now);
  lab.receive({0, 0, 0, 0}, kPeer, 4500, lab.now);
  lab.receive({}, kPeer, 4500, lab.now);
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.probe.counters().foreign, 4U);
  lab.receive(marked, kPeer, 4500, lab.now);
  ASSERT_EQ(lab.seen.size(), 1U);
  EXPECT_EQ(lab.seen[0].port, 4500);
}

TEST_F(IkeProbeAnswers, EveryTruncationIsMalformed) {
  for (const IkeProbePacket* p : {&p500, &p4500}) {
    const auto whole = answer_to(*p, 2, 5);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      lab.receive({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}, kPeer, p->port, lab.now);
      ASSERT_TRUE(lab.seen.empty()) << n;
    }
  }
  EXPECT_EQ(lab.probe.counters().malformed + lab.probe.counters().foreign, 36U + 40U);
}

TEST_F(IkeProbeAnswers, OneMoreAnswerIsUnmatched) {
  const auto good = answer_to(p500, 2, 5);
  lab.receive(good, kPeer, 500, lab.now);
  lab.receive(good, kPeer, 500, lab.now);
  EXPECT_EQ(lab.seen.size(), 1U);
  EXPECT_EQ(lab.probe.counters().unmatched, 1U);
}

TEST_F(IkeProbeAnswers, AnAnswerAfterTheTimeoutStillCountsAsOne) {
  const auto good = answer_to(p500, 2, 5);
  while (lab.on_port(500).back().packet.probe == p500.probe) lab.run_for(50ms);  // the next rung is outstanding
  lab.receive(good, kPeer, 500, lab.now);
  ASSERT_EQ(lab.seen.size(), 1U);
  EXPECT_EQ(lab.seen[0].outcome, Outcome::answered);
  EXPECT_GT(lab.seen[0].rtt, 1s);
  EXPECT_EQ(lab.seen[0].sent_version, 3);
  EXPECT_EQ(lab.probe.known_kind(1, 500), Kind::version3);
}

TEST_F(IkeProbeAnswers, AFullAnswerIsToldAsSuch) {
  auto b = answer_to(p500, 2, 5);
  b[16] = 33;
  lab.receive(b, kPeer, 500, lab.now);
  ASSERT_EQ(lab.seen.size(), 1U);
  EXPECT_TRUE(lab.seen[0].full_answer);
}

TEST_F(IkeProbeAnswers, ACookieIsAnAnswerAndIsNotAnswered) {
  const std::size_t before = lab.sent.size();
  lab.receive(answer_to(p500, 2, 16390), kPeer, 500, lab.now);
  ASSERT_EQ(lab.seen.size(), 1U);
  EXPECT_EQ(lab.seen[0].answer_notify, 16390);
  lab.run_for(500ms);
  EXPECT_EQ(lab.on_port(500).size() + lab.on_port(4500).size(), before);
}

TEST_F(IkeProbeAnswers, AnAnswerForARemovedTargetIsUnmatched) {
  lab.probe.remove_target(1);
  lab.receive(answer_to(p500, 2, 5), kPeer, 500, lab.now);
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.probe.counters().unmatched, 1U);
  EXPECT_EQ(lab.probe.next_deadline(), std::nullopt);
  EXPECT_EQ(lab.probe.path_count(), 0U);
}

// ---- refusals

TEST_F(IkeProbeAnswers, AnIcmpErrorIsAReason) {
  const IpAddress router = ip("203.0.113.1");
  lab.probe.on_icmp_error(kPeer, 500, RefusalReason::port_unreachable, router, lab.now, lab.out);
  lab.probe.on_icmp_error(kPeer, 500, RefusalReason::port_unreachable, router, lab.now, lab.out);
  lab.probe.on_icmp_error(ip("198.51.100.99"), 500, RefusalReason::port_unreachable, router, lab.now, lab.out);
  lab.collect();
  ASSERT_EQ(lab.seen.size(), 1U);
  EXPECT_EQ(lab.seen[0].outcome, Outcome::refused);
  EXPECT_EQ(lab.seen[0].reason, RefusalReason::port_unreachable);
  EXPECT_EQ(lab.seen[0].from, router);
  EXPECT_EQ(lab.seen[0].port, 500);
  lab.run_for(3s);
  EXPECT_EQ(lab.outcomes(500).size(), 1U) << "the refused one is not silent as well";
}

TEST(IkeProbe, ARefusalAfterTheTimeoutStillNamesItsReasonOnce) {
  Lab lab({.interval = 60s, .timeout = 1s, .burst = 3});
  lab.add(1, config::IkeVersion::v2);
  while (lab.outcomes(500).empty()) lab.run_for(100ms);
  lab.run_for(2s);
  for (int i = 0; i < 2; ++i) {
    lab.probe.on_icmp_error(kPeer, 500, RefusalReason::host_unreachable, kPeer, lab.now, lab.out);
    lab.collect();
  }
  EXPECT_EQ(lab.outcomes(500), (std::vector{Outcome::silent, Outcome::refused}));
}

TEST_F(IkeProbeAnswers, ASendErrorEndsTheRequest) {
  lab.probe.on_send_error(p500.probe, RefusalReason::no_route, lab.now, lab.out);
  lab.probe.on_send_error(p500.probe, RefusalReason::no_route, lab.now, lab.out);
  lab.probe.on_send_error(12345, RefusalReason::no_route, lab.now, lab.out);
  lab.collect();
  EXPECT_EQ(lab.outcomes(500), std::vector{Outcome::send_error});
  EXPECT_EQ(lab.seen[0].reason, RefusalReason::no_route);
}

// ---- many, shared, held up

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
