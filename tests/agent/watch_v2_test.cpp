#include "tests/support/ike_v2_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Conversations of IKEv2 as they look without keys, and what must follow from them. Each failure has a neighbour that
// looks alike and must not raise it.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class EverySuite : public testing::TestWithParam<Suite> {};

INSTANTIATE_TEST_SUITE_P(Suites, EverySuite,
                         testing::Values(Suite{}, Suite{12, 128, 2, 2, 14}, Suite{12, 256, 6, 13, 20},
                                         Suite{12, 256, 7, 14, 16}, Suite{20, 256, 6, 0, 20}, Suite{28, 0, 5, 0, 31}));

TEST_P(EverySuite, AHealthyNegotiationRaisesNothing) {
  IkeScript s;
  connect(s, 0, GetParam());
  s.esp(100, From::local, 5);
  s.esp(110, From::remote, 5);
  s.pass(3000);
  s.finish();
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

TEST_P(EverySuite, ALoneNotifyToIkeAuthIsARefusedAuthentication) {
  IkeScript s;
  s.ike(0, From::local, init_request(GetParam()));
  s.ike(10, From::remote, init_response(GetParam()));
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest, GetParam()), 4500);
  s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_notify, 8, GetParam()), 4500);
  EXPECT_THAT(s.active(), ElementsAre("authentication_fail", "psk_mismatch", "config_id_mismatch"));
  EXPECT_EQ(s.state(), "down");
  connect(s, 2000, GetParam());
  s.pass(2800);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), Contains("authentication_fail"));
}

TEST_P(EverySuite, AnAnswerTooShortForAChildIsAPhase2Mismatch) {
  IkeScript s;
  s.ike(0, From::local, init_request(GetParam()));
  s.ike(10, From::remote, init_response(GetParam()));
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest, GetParam()), 4500);
  s.ike(30, From::remote,
        sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, auth_answer_without_child(GetParam()), GetParam()),
        4500);
  EXPECT_THAT(s.active(), IsEmpty()) << "an EAP round could still follow";
  s.pass(900);
  EXPECT_THAT(s.active(),
              ElementsAre("phase2_proposal_or_pfs_mismatch", "flow_or_peer_mismatch", "policy_rules_not_mirrored"));
}

TEST(WatchV2, EapRoundsAreNoRefusedChild) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswerWithoutChild), 4500);
  s.ike(60, From::local, sealed(wire::ike_auth, 2, wire::v2_eap, 20), 4500);
  s.ike(70, From::remote, sealed_answer(wire::ike_auth, 2, wire::v2_eap, 40), 4500);
  s.ike(80, From::local, sealed(wire::ike_auth, 3, wire::v2_eap, 60), 4500);
  s.ike(90, From::remote, sealed_answer(wire::ike_auth, 3, wire::v2_eap, 8), 4500);
  s.ike(100, From::local, sealed(wire::ike_auth, 4, wire::v2_auth, 40), 4500);
  s.ike(110, From::remote, sealed_answer(wire::ike_auth, 4, wire::v2_auth, 150), 4500);
  s.pass(3000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

TEST(WatchV2, EapThatEndsWithANotifyIsARefusedEap) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, 100), 4500);
  s.ike(60, From::local, sealed(wire::ike_auth, 2, wire::v2_eap, 20), 4500);
  s.ike(70, From::remote, sealed_answer(wire::ike_auth, 2, wire::v2_eap, 8), 4500);
  s.ike(80, From::local, sealed(wire::informational, 3, wire::v2_notify, 8), 4500);
  EXPECT_THAT(s.active(), ElementsAre("eap_authentication_fail"));
}

TEST(WatchV2, OurRefusalRightAfterIkeAuthIsARefusedAuthentication) {
  IkeScript s;
  connect(s);
  s.ike(40, From::local, sealed(wire::informational, 2, wire::v2_notify, 8), 4500);
  s.ike(50, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  EXPECT_THAT(s.active(), IsEmpty()) << "an address update looks the same";
  s.pass(2000);
  EXPECT_THAT(s.active(), ElementsAre("authentication_fail"));
}

TEST(WatchV2, ALoneNotifyRightAfterIkeAuthIsNoRefusalWhereTheSaLivesOn) {
  for (const int esp_at : {1000, 4000}) {  // before and after it would have been told
    SCOPED_TRACE(esp_at);
    IkeScript s;
    connect(s);
    s.ike(40, From::local, sealed(wire::informational, 2, wire::v2_notify, 8), 4500);
    s.ike(50, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
    s.esp(esp_at, From::remote, 3);
    s.pass(6000);
    EXPECT_THAT(s.active(), IsEmpty());
    EXPECT_EQ(s.state(), "up");
  }
}

TEST(WatchV2, AMobikeUpdateRightAfterIkeAuthIsNoRefusal) {
  IkeScript s;
  connect(s);
  s.ike(40, From::local, sealed(wire::informational, 2, wire::v2_notify, 28 + 28), 4500);
  s.ike(50, From::remote, sealed_answer(wire::informational, 2, wire::v2_notify, 56), 4500);
  s.pass(2000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, NoProposalChosenIsAPhase1MismatchAndSaysWhatDiffers) {
  IkeScript s;
  // The peer once offered something itself, so both offers are known.
  RawMessage theirs = init_request({12, 128, 2, 2, 2});
  theirs.spi_i = 0x77;
  s.ike(0, From::remote, theirs);
  s.ike(100, From::local, init_request());
  RawMessage refusal = response(wire::ike_sa_init, 0, {test::notify_v2(14)});
  refusal.spi_r = 0;
  s.ike(110, From::remote, refusal);
  EXPECT_THAT(s.active(), Contains("phase1_proposal_mismatch"));
  const auto report = s.watch().report(WallClock::of_capture_file());
  EXPECT_THAT(report.front().offers.differences, Contains("DH group: local offers MODP_2048; remote offers MODP_1024"));
}

TEST(WatchV2, OneInvalidKePayloadIsNormal) {
  IkeScript s;
  s.ike(0, From::local, init_request({12, 256, 5, 12, 19}));
  RawMessage wrong = response(wire::ike_sa_init, 0, {test::notify_v2(17, {0, 14})});
  wrong.spi_r = 0;
  s.ike(10, From::remote, wrong);
  s.ike(20, From::local, init_request());
  s.ike(30, From::remote, init_response());
  s.ike(40, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(50, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  s.pass(2000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.events(), Contains("group_retried"));
}

TEST(WatchV2, OneCookieIsNormal) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  RawMessage challenge = response(wire::ike_sa_init, 0, {test::notify_v2(16390, Buffer(20, 9))});
  challenge.spi_r = 0;
  s.ike(10, From::remote, challenge);
  RawMessage with_cookie = init_request();
  with_cookie.payloads.insert(with_cookie.payloads.begin(), test::notify_v2(16390, Buffer(20, 9)));
  s.ike(20, From::local, with_cookie);
  s.ike(30, From::remote, init_response());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, SilenceIsToldAfterTwoRepetitionsOrAtLength) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(1000, From::local, init_request());
  s.pass(1500);
  EXPECT_THAT(s.active(), IsEmpty()) << "one lost packet is no fault";
  s.ike(2500, From::local, init_request());
  EXPECT_THAT(s.active(), ElementsAre("exchange_timeout"));
  s.ike(2600, From::remote, init_response());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, TheSameBytesWithinMillisecondsAreOneMessage) {
  IkeScript s;
  for (int copy = 0; copy < 4; ++copy) s.ike(copy, From::local, init_request());
  s.pass(900);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.watch().tracker().counters().duplicates, 3U);
}

TEST(WatchV2, AnAbandonedAttemptIsForgottenWhenALaterOneSucceeds) {
  IkeScript s;
  RawMessage given_up = init_request();
  given_up.spi_i = 0x77;
  for (const int ms : {0, 1000, 2500}) s.ike(ms, From::local, given_up);
  EXPECT_THAT(s.active(), Contains("exchange_timeout"));
  connect(s, 3000);
  s.pass(10000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, IkeAuthUnansweredOn4500) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  for (const int ms : {20, 1020, 2520})
    s.ike(ms, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  EXPECT_THAT(s.active(), ElementsAre("ike_port_4500_blocked"));
}

TEST(WatchV2, IcmpRejectionOfIkeNamesThePort) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.icmp(5, false, 3, 13, wire::DatagramKind::ike, 500);
  EXPECT_THAT(s.active(), ElementsAre("ike_port_500_blocked"));
}

TEST(WatchV2, IcmpRejectionOfEspCountsForAnSaAndNotForATrace) {
  const std::vector<std::uint8_t> traced{0, 0, 0, 7, 0, 0, 0, 1};
  const std::vector<std::uint8_t> of_an_sa{0, 0, 0x10, 0, 0, 0, 0, 1};
  IkeScript s;
  connect(s);
  s.icmp(200, true, 3, 2, wire::DatagramKind::esp, 0, traced);
  EXPECT_THAT(s.active(), IsEmpty());
  s.icmp(300, true, 3, 2, wire::DatagramKind::esp, 0, of_an_sa);
  EXPECT_THAT(s.active(), ElementsAre("esp_blocked"));
}

TEST(WatchV2, RekeysOfChildAndIkeRaiseNothing) {
  IkeScript s;
  connect(s);
  s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
  s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
  s.ike(4020, From::local, sealed(wire::informational, 3, wire::v2_delete, 12), 4500);
  s.ike(4030, From::remote, sealed_answer(wire::informational, 3, wire::v2_delete, 12), 4500);
  s.ike(7000, From::local, sealed(wire::create_child_sa, 4, wire::v2_sa, 350), 4500);
  s.ike(7010, From::remote, sealed_answer(wire::create_child_sa, 4, wire::v2_sa, 350), 4500);
  s.ike(7020, From::local, sealed(wire::informational, 5, wire::v2_delete, 8), 4500);
  s.ike(7030, From::remote, sealed_answer(wire::informational, 5, 0, 0), 4500);
  s.pass(9000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
  EXPECT_THAT(s.events(), testing::IsSupersetOf({"child_sa_rekeyed", "ike_sa_rekeyed"}));
  // The new SA speaks with SPIs that no IKE_SA_INIT ever named.
  RawMessage next = sealed(wire::informational, 0, 0, 0);
  next.spi_i = 0xcc;
  next.spi_r = 0xdd;
  s.ike(9500, From::local, next, 4500);
  EXPECT_EQ(s.state(), "up");
}

TEST(WatchV2, ARefusedRekeyWarnsWhileTheTunnelWorks) {
  IkeScript s;
  connect(s);
  s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
  s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_notify, 8), 4500);
  s.pass(5000);
  EXPECT_THAT(s.active(), ElementsAre("phase2_proposal_or_pfs_mismatch", "rekey_fail"));
  EXPECT_EQ(s.state(), "up");
}

// TEMPORARY_FAILURE and NO_PROPOSAL_CHOSEN are of one length. Who took a rekey before has the proposal, and says the
// first when its own is about to begin; it is told where it lasts, and as less sure.
TEST(WatchV2, ARekeyRefusedByWhoTookOneBeforeIsNoFailureWhenItsOwnFollows) {
  for (const bool midway : {false, true}) {
    for (const bool followed : {true, false}) {
      SCOPED_TRACE(midway ? "midway" : "from the beginning");
      SCOPED_TRACE(followed);
      IkeScript s;
      if (!midway) {
        connect(s);
        s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
        s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
      }
      s.ike(9000, From::local, sealed(wire::create_child_sa, 3, wire::v2_notify, 400), 4500);
      s.ike(9010, From::remote, sealed_answer(wire::create_child_sa, 3, wire::v2_notify, 8), 4500);
      s.pass(10000);
      EXPECT_THAT(s.active(), IsEmpty());
      if (followed) {
        s.ike(10040, From::remote, request(wire::create_child_sa, 0, {encrypted_v2(wire::v2_notify, 400)}, false),
              4500);
        s.ike(10050, From::local, response(wire::create_child_sa, 0, {encrypted_v2(wire::v2_sa, 400)}, false), 4500);
      }
      s.pass(13000);
      EXPECT_EQ(s.active().empty(), followed);
    }
  }
}

TEST(WatchV2, WhoTookARekeyUnderTheIkeSaBeforeHasTheProposal) {
  for (const bool taken : {true, false}) {
    SCOPED_TRACE(taken);
    IkeScript s;
    connect(s);
    if (taken) {
      s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
      s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
    }
    s.ike(6000, From::local, sealed(wire::create_child_sa, 3, wire::v2_sa, 300), 4500);
    s.ike(6010, From::remote, sealed_answer(wire::create_child_sa, 3, wire::v2_sa, 300), 4500);
    s.ike(6020, From::local, sealed(wire::informational, 4, wire::v2_delete, 8), 4500);
    s.ike(6030, From::remote, sealed_answer(wire::informational, 4, 0, 0), 4500);
    const auto next = [](RawMessage m) {
      m.spi_i = 0xcc;
      m.spi_r = 0xdd;
      return m;
    };
    s.ike(9000, From::local, next(sealed(wire::create_child_sa, 0, wire::v2_notify, 400)), 4500);
    s.ike(9010, From::remote, next(sealed_answer(wire::create_child_sa, 0, wire::v2_notify, 8)), 4500);
    s.pass(10000);
    EXPECT_EQ(s.active().empty(), taken);
    s.pass(13000);
    EXPECT_FALSE(s.active().empty());
  }
}

TEST(WatchV2, InvalidKePayloadAtRekeyIsNormal) {
  IkeScript s;
  connect(s);
  s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
  s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_notify, 10), 4500);
  s.ike(4020, From::local, sealed(wire::create_child_sa, 3, wire::v2_notify, 500), 4500);
  s.ike(4030, From::remote, sealed_answer(wire::create_child_sa, 3, wire::v2_sa, 500), 4500);
  s.pass(6000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, ThePeersDeleteIsToldAndOursIsNot) {
  for (const bool by_peer : {true, false}) {
    SCOPED_TRACE(by_peer);
    IkeScript s;
    connect(s);
    RawMessage remove = sealed(wire::informational, by_peer ? 0 : 2, wire::v2_delete, 8);
    RawMessage done = sealed_answer(wire::informational, by_peer ? 0 : 2, 0, 0);
    if (by_peer) {
      remove.flags = 0x00;
      done.flags = 0x28;
    }
    s.ike(1000, by_peer ? From::remote : From::local, remove, 4500);
    s.ike(1010, by_peer ? From::local : From::remote, done, 4500);
    s.pass(2500);
    if (by_peer) {
      EXPECT_THAT(s.active(), ElementsAre("peer_request"));
    } else {
      EXPECT_THAT(s.active(), IsEmpty());
    }
    EXPECT_EQ(s.state(), "down");
  }
}

TEST(WatchV2, AChildThatTheNextFollowsAtOnceIsReplacedAndNotDeleted) {
  for (const bool followed : {true, false}) {
    SCOPED_TRACE(followed);
    IkeScript s;
    connect(s);
    s.ike(5000, From::remote, request(wire::informational, 0, {encrypted_v2(wire::v2_delete, 12)}, false), 4500);
    s.ike(5001, From::local, response(wire::informational, 0, {encrypted_v2(wire::v2_delete, 12)}, false), 4500);
    EXPECT_EQ(s.state(), "up");
    if (followed) {
      s.ike(5004, From::remote, request(wire::create_child_sa, 1, {encrypted_v2(wire::v2_sa, 400)}, false), 4500);
      s.ike(5010, From::local, response(wire::create_child_sa, 1, {encrypted_v2(wire::v2_sa, 400)}, false), 4500);
      EXPECT_EQ(s.state(), "up");
    }
    s.pass(6000);
    EXPECT_EQ(s.active(), followed ? std::vector<std::string>{} : std::vector<std::string>{"peer_request"});
    EXPECT_EQ(s.state(), followed ? "up" : "down");
    EXPECT_EQ(testing::Value(s.events(), Contains("child_sa_replaced")), followed);
  }
}

TEST(WatchV2, AReauthenticationIsNoDeletion) {
  IkeScript s;
  connect(s);
  s.ike(1000, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
  s.ike(1010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  RawMessage anew = init_request();
  anew.spi_i = 0x99;
  s.ike(1050, From::local, anew);
  s.pass(2000);
  EXPECT_THAT(s.events(), Contains("ike_sa_reauthenticated"));
  EXPECT_THAT(s.active(), Not(Contains("peer_request")));
}

// RFC 7296 section 2.8.3: the SA before is deleted as soon as its successor stands.
TEST(WatchV2, AReauthenticationThatMakesBeforeItBreaksIsUpAllTheTime) {
  for (const bool brings_child : {true, false}) {
    SCOPED_TRACE(brings_child);
    IkeScript s;
    connect(s);
    const auto anew = [](RawMessage m) {
      m.spi_i = 0x99;
      return m;
    };
    const std::size_t answer = brings_child ? kAuthAnswer : kAuthAnswer - 80;
    s.ike(6000, From::local, anew(init_request()));
    s.ike(6010, From::remote, anew(init_response()));
    EXPECT_EQ(s.state(), "up");
    s.ike(6020, From::local, anew(sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest)), 4500);
    s.ike(6030, From::remote, anew(sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, answer)), 4500);
    s.ike(6032, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
    s.ike(6034, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
    EXPECT_EQ(s.state(), brings_child ? "up" : "negotiating");
    s.pass(8000);
    EXPECT_EQ(s.state(), brings_child ? "up" : "down");
    EXPECT_EQ(s.active().empty(), brings_child);
  }
}

TEST(WatchV2, LivenessUnansweredIsToldBeforeTheDaemonGivesUp) {
  IkeScript s;
  connect(s);
  for (const int ms : {5000, 6000, 7500}) s.ike(ms, From::local, sealed(wire::informational, 2, 0, 0), 4500);
  EXPECT_THAT(s.active(), ElementsAre("dpd_timeout"));
  EXPECT_EQ(s.state(), "down");
  s.ike(7600, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

TEST(WatchV2, ThePeerThatTalksUnderAnotherSaIsNotGone) {
  for (const bool talks : {true, false}) {
    SCOPED_TRACE(talks);
    IkeScript s;
    connect(s);
    connect(s, 1000);
    const auto of = [](RawMessage m, std::uint64_t spi) {
      m.spi_i = spi;
      return m;
    };
    const auto ask = [&](int ms, std::uint32_t id, std::uint64_t spi) {
      s.ike(ms, From::local, of(sealed(wire::informational, id, 0, 0), spi), 4500);
    };
    const auto answer = [&](int ms, std::uint32_t id, std::uint64_t spi) {
      s.ike(ms, From::remote, of(sealed_answer(wire::informational, id, 0, 0), spi), 4500);
    };
    // Both are in use; then the first one is silent.
    for (const std::uint64_t spi : {kSpiI, kSpiI + 1000}) {
      ask(4000, 2, spi);
      answer(4010, 2, spi);
    }
    ask(5000, 3, kSpiI);
    ask(7000, 3, kSpiI);
    ask(8500, 3, kSpiI);
    s.pass(9000);
    EXPECT_THAT(s.active(), IsEmpty());
    ask(10000, 3, kSpiI + 1000);
    if (talks) answer(10010, 3, kSpiI + 1000);
    ask(12000, 3, kSpiI + 1000);
    if (talks) answer(12010, 3, kSpiI + 1000);
    ask(14500, 3, kSpiI + 1000);
    if (talks) answer(14510, 3, kSpiI + 1000);
    for (const int ms : {15000, 25000, 37000}) ask(ms, 3, kSpiI);
    s.pass(39000);
    EXPECT_EQ(s.active(), talks ? std::vector<std::string>{} : std::vector<std::string>{"dpd_timeout"});
  }
}

TEST(WatchV2, OfTwoRekeysThatCrossTheLosersSuccessorIsDeletedUnused) {
  for (const bool cross : {true, false}) {
    SCOPED_TRACE(cross);
    IkeScript s;
    connect(s);
    constexpr std::size_t kRekey = 180;  // SA, nonce, KE: the successor's
    if (cross) s.ike(5000, From::local, sealed(wire::create_child_sa, 2, wire::v2_sa, kRekey), 4500);
    s.ike(5010, From::remote, request(wire::create_child_sa, 0, {encrypted_v2(wire::v2_sa, kRekey)}, false), 4500);
    if (cross) s.ike(5020, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, kRekey), 4500);
    s.ike(5030, From::local, response(wire::create_child_sa, 0, {encrypted_v2(wire::v2_sa, kRekey)}, false), 4500);
    // The peer's successor begins with its end; then the SA that was rekeyed is deleted.
    const auto theirs = [](RawMessage m, bool answer) {
      m.spi_i = 0xcccc;
      m.spi_r = 0xdddd;
      m.flags = answer ? 0x20 : 0x08;
      return m;
    };
    s.ike(5040, From::remote, theirs(sealed(wire::informational, 0, wire::v2_delete, 8), false), 4500);
    s.ike(5100, From::local, sealed(wire::informational, 3, wire::v2_delete, 8), 4500);
    s.ike(5110, From::local, theirs(sealed_answer(wire::informational, 0, 0, 0), true), 4500);
    s.ike(5120, From::remote, sealed_answer(wire::informational, 3, 0, 0), 4500);
    s.pass(9000);
    EXPECT_EQ(s.active(), cross ? std::vector<std::string>{} : std::vector<std::string>{"peer_request"});
    if (cross) {
      EXPECT_EQ(s.state(), "up");
    }
  }
}

// RFC 7296 section 2.25.2: an end whose own rekey has just succeeded answers the other's with TEMPORARY_FAILURE.
TEST(WatchV2, ARekeyRefusedUnderAnIkeSaThatIsBeingReplacedIsNoFailure) {
  for (const bool replaced : {true, false}) {
    SCOPED_TRACE(replaced);
    IkeScript s;
    connect(s);
    constexpr std::size_t kRekey = 180;  // SA, nonce, KE
    s.ike(5000, From::local, sealed(wire::create_child_sa, 2, wire::v2_sa, kRekey), 4500);
    if (replaced) {
      s.ike(5001, From::remote, request(wire::create_child_sa, 0, {encrypted_v2(wire::v2_sa, kRekey)}, false), 4500);
      s.ike(5004, From::local, response(wire::create_child_sa, 0, {encrypted_v2(wire::v2_sa, kRekey)}, false), 4500);
      s.ike(5006, From::remote, request(wire::informational, 1, {encrypted_v2(wire::v2_delete, 8)}, false), 4500);
    }
    s.ike(5007, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_notify, 8), 4500);
    if (replaced) s.ike(5008, From::local, response(wire::informational, 1, {encrypted_v2(0, 0)}, false), 4500);
    s.pass(12000);
    EXPECT_EQ(s.active().empty(), replaced);
  }
}

TEST(WatchV2, EspOutOnlyWhileThePeerAnswersIsBlockedEsp) {
  IkeScript s;
  connect(s);
  s.esp(100, From::local, 1);
  s.esp(600, From::local, 6);
  EXPECT_THAT(s.active(), IsEmpty()) << "the peer may be gone altogether";
  s.ike(900, From::local, sealed(wire::informational, 2, 0, 0), 4500);
  s.ike(910, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  EXPECT_THAT(s.active(), ElementsAre("esp_blocked"));
  s.esp(1500, From::remote, 1);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, ACaptureOfOneDirectionIsNoSilence) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(3000, From::local, sealed(wire::informational, 2, 0, 0), 4500);
  s.ike(6000, From::local, sealed(wire::informational, 3, 0, 0), 4500);
  s.pass(6500);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WatchV2, ASilenceThatLastsIsOneEventAndIsToldAsItGrows) {
  IkeScript s;
  std::vector<Duration> told;
  s.watch().set_on_observation([&](const passive::PeerKey&, const passive::IkeObservation& o) {
    if (o.sight == passive::IkeSight::init_unanswered) told.push_back(o.at - o.since);
  });
  s.ike(0, From::local, init_request());
  s.ike(2000, From::local, init_request());
  s.pass(60'000);
  const auto events = s.events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "init_unanswered"), 1);
  ASSERT_GE(told.size(), 3U);
  EXPECT_LE(told.size(), 12U);
  for (std::size_t i = 1; i < told.size(); ++i) {
    EXPECT_LE(told[i], std::max<Duration>(told[i - 1] + std::chrono::milliseconds(1100),
                                          told[i - 1] * 3 / 2 + std::chrono::milliseconds(100)));
  }
  EXPECT_GT(told.back(), std::chrono::seconds(19)) << "it lasts, and is told with the time that it has lasted";
}

// Of peers that are no tunnel's, who goes on is kept before who knocked once.
TEST(WatchV2, OfStrangersTheOneThatGoesOnIsKept) {
  IkeScript s;
  const auto knock = [&](const IpAddress& from, std::uint64_t spi) {
    RawMessage first = init_request();
    first.spi_i = spi;
    s.between(0, from, IkeScript::kLocal, 500, 500, test::bytes_of(first));
  };
  const auto is_known = [&](const IpAddress& address) {
    bool known = false;
    s.watch().tracker().for_each([&](const passive::IkePeerView& v) { known = known || v.key.remote == address; });
    return known;
  };
  s.watch().set_local_addresses({IkeScript::kLocal});
  const std::uint32_t limit = static_cast<std::uint32_t>(config::Discovery{}.max_tunnels);
  const IpAddress patient = IpAddress::v4(0x0a000001U);
  const IpAddress hasty = IpAddress::v4(0x0a000002U);
  knock(patient, 1);
  knock(hasty, 2);
  for (std::uint32_t i = 0; i < limit - 2; ++i) knock(IpAddress::v4(0x0b000000U + i), 100 + i);
  knock(patient, 3);
  for (std::uint32_t i = 0; i < limit / 2; ++i) knock(IpAddress::v4(0x0c000000U + i), 100'000 + i);
  EXPECT_TRUE(is_known(patient));
  EXPECT_FALSE(is_known(hasty));
  EXPECT_EQ(s.watch().tracker().counters().evicted_peers, limit / 2);
}

TEST(WatchV2, AFloodOfForgedInitiationsStaysBoundedAndHarmsNobody) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  for (std::uint32_t i = 0; i < 20000; ++i) {
    RawMessage forged = init_request();
    forged.spi_i = 0x100000 + i;
    const Buffer bytes = test::bytes_of(forged);
    wire::Datagram d;
    d.kind = wire::DatagramKind::ike;
    d.source = IpAddress::v4(0x0a000000U + i);
    d.destination = IkeScript::kLocal;
    d.source_port = d.destination_port = 500;
    d.ttl = 50;
    d.payload = bytes;
    s.watch().on_ike(d, TimePoint{} + std::chrono::hours(2), false);
  }
  std::size_t peers = 0;
  bool ours_lives = false;
  s.watch().tracker().for_each([&](const passive::IkePeerView& v) {
    ++peers;
    ours_lives = ours_lives || (v.key.remote == IkeScript::kRemote && v.state == passive::PeerState::up);
  });
  EXPECT_LE(peers, 512U);
  EXPECT_TRUE(ours_lives);
  EXPECT_GT(s.watch().tracker().counters().evicted_peers, 0U);
}

}  // namespace
}  // namespace tunnelwatch
