#include "tests/support/ike_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Conversations of IKEv1 as they look without keys. AES-256, SHA2-256, a pre-shared key, group 14 throughout: a HASH
// payload takes 36 bytes.
namespace tunnelwatch {
namespace {

using test::Buffer;
using test::IkeScript;
using test::RawMessage;
using From = IkeScript::From;
using testing::ElementsAre;
using testing::IsEmpty;

RawMessage message(std::uint8_t exchange, std::uint32_t id, std::vector<test::RawPayload> payloads) {
  RawMessage m;
  m.version = 0x10;
  m.spi_i = 0xaaaa;
  m.spi_r = 0xbbbb;
  m.flags = 0;
  m.exchange = exchange;
  m.message_id = id;
  m.payloads = std::move(payloads);
  return m;
}

// An encrypted message whose plaintext takes `bytes`; `salt` makes its bytes its own.
RawMessage sealed(std::uint8_t exchange, std::uint32_t id, std::size_t bytes, std::uint8_t salt = 0) {
  RawMessage m = message(exchange, id, {});
  m.flags = 0x01;
  m.raw_body = Buffer((bytes + 15) / 16 * 16, static_cast<std::uint8_t>(0x5a + salt));
  return m;
}

test::RawPayload sa() {
  Buffer attributes;
  for (const std::uint32_t a : {0x80010007U, 0x800e0100U, 0x80020004U, 0x80030001U, 0x8004000eU})
    test::put(attributes, a, 4);
  Buffer body;
  test::put(body, 1, 4);
  test::put(body, 1, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 16, 2);
  test::put(body, 0x01010001, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 8, 2);
  test::put(body, 0x01010000, 4);
  body.insert(body.end(), attributes.begin(), attributes.end());
  return {wire::v1_sa, body};
}

test::RawPayload notify(std::uint16_t type, std::size_t spi_size) {
  Buffer n;
  test::put(n, 1, 4);
  test::put(n, 1, 1);
  test::put(n, spi_size, 1);
  test::put(n, type, 2);
  n.resize(n.size() + spi_size);
  return {wire::v1_notify, n};
}

constexpr std::size_t kHash = 36;
constexpr std::size_t kLiveness = kHash + 32;
constexpr std::size_t kDeleteChild = kHash + 16;
constexpr std::size_t kDeleteIsakmp = kHash + 28;

void main_mode_to_message_4(IkeScript& s, int ms = 0) {
  RawMessage first = message(wire::v1_identity_protection, 0, {sa()});
  first.spi_r = 0;
  s.ike(ms, From::local, first);
  s.ike(ms + 10, From::remote, message(wire::v1_identity_protection, 0, {sa()}));
  s.ike(ms + 20, From::local,
        message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 1)}, {wire::v1_nonce, Buffer(32, 1)}}));
  s.ike(ms + 30, From::remote,
        message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 2)}, {wire::v1_nonce, Buffer(32, 2)}}));
}

void connect(IkeScript& s) {
  main_mode_to_message_4(s);
  s.ike(40, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  s.ike(50, From::remote, sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
  s.ike(60, From::local, sealed(wire::v1_quick, 7, 160, 3), 4500);
  s.ike(70, From::remote, sealed(wire::v1_quick, 7, 160, 4), 4500);
  s.ike(80, From::local, sealed(wire::v1_quick, 7, 48, 5), 4500);
}

TEST(WatchV1, AHealthyNegotiationRaisesNothing) {
  IkeScript s;
  connect(s);
  s.pass(5000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

TEST(WatchV1, NoProposalChosenInClear) {
  IkeScript s;
  RawMessage first = message(wire::v1_identity_protection, 0, {sa()});
  first.spi_r = 0;
  s.ike(0, From::local, first);
  s.ike(10, From::remote, message(wire::v1_informational, 1, {notify(14, 16)}));
  EXPECT_THAT(s.active(), ElementsAre("phase1_proposal_mismatch"));
}

TEST(WatchV1, Message5RepeatedAfterAnInformationalIsAWrongKey) {
  IkeScript s;
  main_mode_to_message_4(s);
  s.ike(40, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  s.ike(50, From::remote, sealed(wire::v1_informational, 9, 64), 500);
  EXPECT_THAT(s.active(), IsEmpty());
  s.ike(800, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  EXPECT_THAT(s.active(), ElementsAre("authentication_fail", "psk_mismatch"));
}

TEST(WatchV1, QuickModeAnsweredByAnInformationalIsAPhase2Mismatch) {
  IkeScript s;
  main_mode_to_message_4(s);
  s.ike(40, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  s.ike(50, From::remote, sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
  s.ike(60, From::local, sealed(wire::v1_quick, 7, 160, 3), 4500);
  s.ike(70, From::remote, sealed(wire::v1_informational, 8, 64), 4500);
  s.pass(900);
  EXPECT_THAT(s.active(),
              ElementsAre("phase2_proposal_or_pfs_mismatch", "flow_or_peer_mismatch", "policy_rules_not_mirrored"));
}

TEST(WatchV1, LivenessUnansweredIsToldAndAnsweredIsNot) {
  for (const bool answered : {true, false}) {
    SCOPED_TRACE(answered);
    IkeScript s;
    connect(s);
    for (std::uint8_t i = 0; i < 4; ++i) {
      s.ike(3000 + 3000 * i, From::local,
            sealed(wire::v1_informational, 100U + i, kLiveness, static_cast<std::uint8_t>(10 + i)), 4500);
      if (answered) {
        s.ike(3010 + 3000 * i, From::remote,
              sealed(wire::v1_informational, 200U + i, kLiveness, static_cast<std::uint8_t>(30 + i)), 4500);
      }
    }
    if (answered) {
      EXPECT_THAT(s.active(), IsEmpty());
    } else {
      EXPECT_THAT(s.active(), ElementsAre("dpd_timeout"));
    }
  }
}

TEST(WatchV1, TwoDeletesOfThePeerEndTheTunnelAndOursAreNoCause) {
  for (const auto from : {From::remote, From::local}) {
    SCOPED_TRACE(static_cast<int>(from));
    IkeScript s;
    connect(s);
    s.ike(1000, from, sealed(wire::v1_informational, 100, kDeleteChild, 10), 4500);
    s.ike(1005, from, sealed(wire::v1_informational, 101, kDeleteIsakmp, 11), 4500);
    s.pass(3000);
    if (from == From::remote) {
      EXPECT_THAT(s.active(), ElementsAre("peer_request"));
    } else {
      EXPECT_THAT(s.active(), IsEmpty());
    }
    EXPECT_EQ(s.state(), "down");
  }
}

TEST(WatchV1, ASecondQuickModeIsARekey) {
  IkeScript s;
  connect(s);
  s.ike(4000, From::local, sealed(wire::v1_quick, 8, 160, 20), 4500);
  s.ike(4010, From::remote, sealed(wire::v1_quick, 8, 160, 21), 4500);
  s.ike(4020, From::local, sealed(wire::v1_quick, 8, 48, 22), 4500);
  s.ike(4030, From::local, sealed(wire::v1_informational, 100, kDeleteChild, 23), 4500);
  s.pass(6000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
  EXPECT_THAT(s.events(), testing::Contains("child_sa_rekeyed"));
}

TEST(WatchV1, AReauthenticationThatKeepsItsChildrenIsNoRefusal) {
  for (const bool first : {false, true}) {
    SCOPED_TRACE(first);
    IkeScript s;
    if (!first) connect(s);
    const auto anew = [&](int ms, From from, RawMessage m, std::uint16_t port) {
      m.spi_i = 0xcccc;
      if (m.spi_r != 0) m.spi_r = 0xdddd;
      s.ike(ms, from, m, port);
    };
    RawMessage ask = message(wire::v1_identity_protection, 0, {sa()});
    ask.spi_r = 0;
    const auto keys = [](std::uint8_t fill) {
      return message(wire::v1_identity_protection, 0,
                     {{wire::v1_ke, Buffer(256, fill)}, {wire::v1_nonce, Buffer(32, fill)}});
    };
    anew(5000, From::local, ask, 500);
    anew(5010, From::remote, message(wire::v1_identity_protection, 0, {sa()}), 500);
    anew(5020, From::local, keys(5), 500);
    anew(5030, From::remote, keys(6), 500);
    anew(5040, From::local, sealed(wire::v1_identity_protection, 0, 80, 31), 4500);
    anew(5050, From::remote, sealed(wire::v1_identity_protection, 0, 80, 32), 4500);
    // An informational where a quick mode would be expected: what becomes of the old child, or a refusal.
    anew(5500, From::local, sealed(wire::v1_informational, 77, kDeleteChild, 33), 4500);
    s.pass(9000);
    EXPECT_EQ(testing::Value(s.active(), testing::Contains("authentication_fail")), first);
  }
}

TEST(WatchV1, XauthWithoutQuickModeIsARefusal) {
  IkeScript s;
  main_mode_to_message_4(s);
  s.ike(40, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  s.ike(50, From::remote, sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
  s.ike(60, From::remote, sealed(wire::v1_transaction, 5, 64, 3), 4500);
  s.ike(70, From::local, sealed(wire::v1_transaction, 5, 80, 4), 4500);
  s.ike(80, From::remote, sealed(wire::v1_transaction, 6, 64, 5), 4500);
  s.ike(90, From::local, sealed(wire::v1_transaction, 6, 64, 6), 4500);
  s.pass(2500);
  EXPECT_THAT(s.active(), IsEmpty());
  s.pass(4000);
  EXPECT_THAT(s.active(), ElementsAre("xauth_authentication_fail"));
}

}  // namespace
}  // namespace tunnelwatch
