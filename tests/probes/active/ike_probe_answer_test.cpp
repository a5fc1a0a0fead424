#include "probes/active/ike_request.h"
#include "tests/probes/active/ike_probe_lab.h"

#include <set>

#include <gtest/gtest.h>

// The bytes of requests and answers, what counts as an answer, and refusals.
namespace tunnelwatch::active {
namespace {

using namespace probing;

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
  const IkeProbePacket newest = lab.sent.back().packet;
  lab.seen.clear();
  lab.probe.on_send_error(newest.probe, RefusalReason::no_route, lab.now, lab.out);
  lab.probe.on_send_error(newest.probe, RefusalReason::no_route, lab.now, lab.out);
  lab.probe.on_send_error(12345, RefusalReason::no_route, lab.now, lab.out);
  lab.collect();
  ASSERT_EQ(lab.outcomes(newest.port), std::vector{Outcome::send_error});
  EXPECT_EQ(lab.seen[0].reason, RefusalReason::no_route);
}

}  // namespace
}  // namespace tunnelwatch::active
