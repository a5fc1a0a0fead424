#include "tests/support/ike_v1_messages.h"
#include "tests/support/ike_v2_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide about refusals and silences of a negotiation, each with a neighbour that must not raise it.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(WireRowsAuth, AModeThatThePeerDoesNotAllow) {
  for (const std::uint16_t word :
       {std::uint16_t{24}, std::uint16_t{14}}) {  // AUTHENTICATION_FAILED, NO_PROPOSAL_CHOSEN
    SCOPED_TRACE(word);
    IkeScript s;
    RawMessage first = v1::message(wire::v1_aggressive, 0, {v1::sa(), {wire::v1_ke, Buffer(256, 1)}});
    first.spi_r = 0;
    s.ike(0, From::local, first);
    s.ike(10, From::remote, v1::message(wire::v1_informational, 1, {v1::notify(word, 16)}));
    EXPECT_THAT(s.active(), ElementsAre(word == 24 ? "exchange_mode_mismatch" : "phase1_proposal_mismatch"));
  }
}

TEST(WireRowsAuth, ARefusalOfAScanIsNobodysProposal) {
  for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{40000}}) {
    SCOPED_TRACE(port);
    IkeScript s;
    s.between(0, IkeScript::kLocal, IkeScript::kRemote, port, 500, bytes_of(init_request()));
    s.between(10, IkeScript::kRemote, IkeScript::kLocal, 500, port, bytes_of(notified(14)));
    EXPECT_EQ(testing::Value(s.active(), Contains("phase1_proposal_mismatch")), port == 500);
  }
}

// What is not IKE at all, and versions that exist.
TEST(WireRowsAuth, AVersionThatIsNotIke) {
  IkeScript s;
  s.raw(0, From::remote, Buffer(40, 0));
  RawMessage cut = init_request();
  cut.version = 0x50;
  Buffer bytes = bytes_of(cut);
  bytes.erase(bytes.end() - 3, bytes.end());  // a length that does not fit: anybody's datagram
  s.raw(10, From::remote, bytes);
  EXPECT_TRUE(s.watch().tunnels().empty());
  s.ike(20, From::local, init_request());
  s.ike(30, From::remote, init_response());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WireRowsAuth, ExchangesOfTheRegistryAndOfPrivateUse) {
  constexpr std::uint8_t kKnown[] = {34, 38, 39, 41, 42, 43, 44, 240, 243, 255};
  constexpr std::uint8_t kUnknown[] = {33, 45, 239};
  for (const std::uint8_t exchange : kKnown) {
    SCOPED_TRACE(int{exchange});
    IkeScript s;
    RawMessage known = init_request();
    known.exchange = exchange;
    s.ike(0, From::local, known);
    EXPECT_THAT(s.active(), Not(Contains("unknown_exchange_type")));
  }
  for (const std::uint8_t exchange : kUnknown) {
    SCOPED_TRACE(int{exchange});
    IkeScript s;
    RawMessage strange = init_request();
    strange.exchange = exchange;
    s.ike(0, From::local, strange);
    EXPECT_THAT(s.active(), Contains("unknown_exchange_type"));
  }
}

TEST(WireRowsAuth, APayloadThatMustBeUnderstood) {
  IkeScript s;
  RawMessage ask = init_request();
  ask.payloads.push_back({200, Buffer(8), true});
  s.ike(0, From::local, ask);
  s.ike(10, From::remote, notified(1, {200}));  // UNSUPPORTED_CRITICAL_PAYLOAD
  EXPECT_THAT(s.active(), Contains("critical_drop"));
  IkeScript understood;
  understood.ike(0, From::local, ask);
  understood.ike(10, From::remote, init_response());
  understood.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  understood.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  understood.pass(1000);
  EXPECT_THAT(understood.active(), IsEmpty());
}

TEST(WireRowsAuth, SmAlgorithmsInVersion2) {
  const Suite sm4{129, 128, 5, 12, 14};
  for (const bool refused : {true, false}) {
    SCOPED_TRACE(refused);
    IkeScript s;
    s.ike(0, From::local, init_request(sm4));
    s.ike(10, From::remote, refused ? notified(14) : init_response(sm4));
    EXPECT_EQ(testing::Value(s.active(), Contains("proposal_mismatch_or_use_sm_in_ikev2")), refused);
  }
  IkeScript ordinary;
  ordinary.ike(0, From::local, init_request());
  ordinary.ike(10, From::remote, notified(14));
  EXPECT_THAT(ordinary.active(), ElementsAre("phase1_proposal_mismatch"));
}

void begin_eap(IkeScript& s) {
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswerWithoutChild), 4500);
}

TEST(WireRowsAuth, EapThatFallsSilent) {
  for (const bool answered : {false, true}) {
    SCOPED_TRACE(answered);
    IkeScript s;
    begin_eap(s);
    for (const int ms : {60, 1060, 2560}) s.ike(ms, From::local, sealed(wire::ike_auth, 2, wire::v2_eap, 20), 4500);
    if (answered) s.ike(2600, From::remote, sealed_answer(wire::ike_auth, 2, wire::v2_eap, 40), 4500);
    if (answered) s.ike(2700, From::local, sealed(wire::ike_auth, 3, wire::v2_eap, 60), 4500);
    if (answered) s.ike(2710, From::remote, sealed_answer(wire::ike_auth, 3, wire::v2_eap, 8), 4500);
    if (answered) s.ike(2720, From::local, sealed(wire::ike_auth, 4, wire::v2_auth, 40), 4500);
    if (answered) s.ike(2730, From::remote, sealed_answer(wire::ike_auth, 4, wire::v2_auth, 150), 4500);
    s.pass(4000);
    EXPECT_EQ(s.active() == std::vector<std::string>{"eap_authentication_timeout"}, !answered);
    if (answered) {
      EXPECT_THAT(s.active(), IsEmpty());
    }
  }
}

// Seen where it is answered, EAP that the client does not go on with looks like a child that was refused to him.
TEST(WireRowsAuth, ASilentClientIsNoMoreThanPossiblyARefusedChild) {
  IkeScript s;
  const auto mirrored = [&](int ms, From from, const RawMessage& m, std::uint16_t port) { s.ike(ms, from, m, port); };
  mirrored(0, From::remote, init_request(), 500);
  mirrored(10, From::local, init_response(), 500);
  mirrored(20, From::remote, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  mirrored(30, From::local, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswerWithoutChild), 4500);
  s.pass(2000);
  const auto report = s.watch().report(WallClock::of_capture_file());
  ASSERT_FALSE(report.front().causes.empty());
  for (const auto& cause : report.front().causes) EXPECT_EQ(cause.confidence, "possible") << cause.cause;
}

void begin_xauth(IkeScript& s) {
  v1::authenticate(s);
  s.ike(60, From::remote, v1::sealed(wire::v1_transaction, 5, 64, 3), 4500);
}

TEST(WireRowsAuth, XauthThatFallsSilent) {
  for (const bool answered : {false, true}) {
    SCOPED_TRACE(answered);
    IkeScript s;
    begin_xauth(s);
    for (const int ms : {1060, 2560}) s.ike(ms, From::remote, v1::sealed(wire::v1_transaction, 5, 64, 3), 4500);
    if (!answered) {
      EXPECT_THAT(s.active(), ElementsAre("xauth_authentication_timeout"));
      continue;
    }
    s.ike(2600, From::local, v1::sealed(wire::v1_transaction, 5, 80, 4), 4500);
    s.ike(2610, From::remote, v1::sealed(wire::v1_transaction, 6, 64, 5), 4500);
    s.ike(2620, From::local, v1::sealed(wire::v1_transaction, 6, 64, 6), 4500);
    s.ike(2700, From::local, v1::sealed(wire::v1_quick, 7, 160, 7), 4500);
    s.ike(2710, From::remote, v1::sealed(wire::v1_quick, 7, 160, 8), 4500);
    s.ike(2720, From::local, v1::sealed(wire::v1_quick, 7, 48, 9), 4500);
    s.pass(8000);
    EXPECT_THAT(s.active(), IsEmpty());
    EXPECT_EQ(s.state(), "up");
  }
}

// RFC 8784: who must have a further key does not go on where the other end knows of none.
TEST(WireRowsAuth, AFurtherKeyThatTheOtherEndDoesNotKnowOf) {
  constexpr std::uint16_t kUsePpk = 16435;
  for (const bool known : {false, true}) {
    SCOPED_TRACE(known);
    IkeScript s;
    RawMessage ask = init_request();
    ask.payloads.push_back(notify_v2(kUsePpk));
    RawMessage answer = init_response();
    if (known) answer.payloads.push_back(notify_v2(kUsePpk));
    s.ike(0, From::local, ask);
    s.ike(10, From::remote, answer);
    s.pass(3000);
    EXPECT_EQ(testing::Value(s.active(), Contains("authentication_fail")), !known);
  }
  IkeScript without;  // it may do without
  RawMessage ask = init_request();
  ask.payloads.push_back(notify_v2(kUsePpk));
  without.ike(0, From::local, ask);
  without.ike(10, From::remote, init_response());
  without.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  without.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  without.pass(3000);
  EXPECT_THAT(without.active(), IsEmpty());
}

// An initiator that begins anew at once behind each complete answer cannot use what it gets.
TEST(WireRowsAuth, WhatIsGivenUpAtOnceIsNotUp) {
  IkeScript s;
  connect(s, 0);
  connect(s, 31);
  s.pass(3000);
  EXPECT_EQ(s.state(), "negotiating");
  EXPECT_THAT(s.active(), IsEmpty());
  s.esp(3100, From::local, 2);
  s.esp(3110, From::remote, 2);
  EXPECT_EQ(s.state(), "up");
  IkeScript later;  // a reauthentication that makes the new SA first
  connect(later, 0);
  later.pass(5000);
  connect(later, 5000);
  later.pass(8000);
  EXPECT_EQ(later.state(), "up");
}

}  // namespace
}  // namespace tunnelwatch
