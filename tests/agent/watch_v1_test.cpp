#include "tests/support/ike_v1_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Conversations of IKEv1 as they look without keys.
namespace tunnelwatch {
namespace {

using namespace test::v1;
using test::Buffer;
using test::IkeScript;
using test::RawMessage;
using testing::ElementsAre;
using testing::IsEmpty;

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

// Phase 1 under another ISAKMP SA than connect()'s; `number` makes its cookies and its messages those of no other.
void reauthenticate(IkeScript& s, int ms, std::uint8_t number, std::uint16_t port) {
  const auto say = [&](int at, From from, RawMessage m, std::uint16_t by_port) {
    m.spi_i = 0xcc00U + number;
    if (m.spi_r != 0) m.spi_r = 0xdd00U + number;
    s.ike(ms + at, from, m, by_port);
  };
  const auto keys = [&](std::uint8_t side) {
    return message(wire::v1_identity_protection, 0,
                   {{wire::v1_ke, Buffer(256, number)}, {wire::v1_nonce, Buffer(32, side)}});
  };
  const auto identity = [&](std::uint8_t fill) { return sealed(wire::v1_identity_protection, 0, 80, fill); };
  RawMessage ask = message(wire::v1_identity_protection, 0, {sa()});
  ask.spi_r = 0;
  say(0, From::local, ask, port);
  say(10, From::remote, message(wire::v1_identity_protection, 0, {sa()}), port);
  say(20, From::local, keys(5), port);
  say(30, From::remote, keys(6), port);
  say(40, From::local, identity(number), 4500);
  say(50, From::remote, identity(static_cast<std::uint8_t>(number + 1)), 4500);
}

// More ISAKMP SAs than are kept, one after the other, and none of them makes a child anew.
TEST(WatchV1, AChildOutlivesAnyNumberOfIsakmpSas) {
  IkeScript s;
  connect(s);
  const passive::IkeTrackerLimits limits;
  for (std::size_t i = 1; i <= 2 * limits.sessions_per_peer; ++i) {
    const int ms = static_cast<int>(i) * 9000;
    reauthenticate(s, ms, static_cast<std::uint8_t>(i), 4500);
    s.pass(ms + 5000);
    ASSERT_EQ(s.state(), "up") << i;
    ASSERT_THAT(s.active(), IsEmpty()) << i;
  }
}

TEST(WatchV1, AReauthenticationThatKeepsItsChildrenIsNoRefusal) {
  for (const bool first : {false, true}) {
    SCOPED_TRACE(first);
    IkeScript s;
    if (!first) connect(s);
    reauthenticate(s, 5000, 31, 500);
    // An informational where a quick mode would be expected: what becomes of the old child, or a refusal.
    RawMessage word = sealed(wire::v1_informational, 77, kDeleteChild, 33);
    word.spi_i = 0xcc00U + 31;
    word.spi_r = 0xdd00U + 31;
    s.ike(5500, From::local, word, 4500);
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
