#include "tests/support/ike_v1_messages.h"
#include "tests/support/ike_v2_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What some stacks do beyond the plain conversation, and captures that lack a part of it: none of it is a fault.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

constexpr std::size_t kNotifyWithCookies = v1::kHash + 28;  // INITIAL-CONTACT has the size of a deletion
constexpr std::size_t kNotifyOfChild = v1::kHash + 16;      // and CONNECTED that of a child's

void quick_mode(IkeScript& s, int ms, std::uint8_t flags = 0x01) {
  RawMessage messages[] = {v1::sealed(wire::v1_quick, 7, 160, 3), v1::sealed(wire::v1_quick, 7, 160, 4),
                           v1::sealed(wire::v1_quick, 7, 48, 5)};
  auto from = From::local;
  for (RawMessage& m : messages) {
    m.flags = flags;
    s.ike(ms, from, m, 4500);
    ms += 10;
    from = from == From::local ? From::remote : From::local;
  }
}

TEST(VendorLife, InitialContactBehindPhase1OfEitherEnd) {
  for (const auto from : {From::local, From::remote}) {
    for (const int quick_at : {100, 1060}) {
      SCOPED_TRACE(testing::Message() << (from == From::local ? "ours" : "the peer's") << ", quick mode at "
                                      << quick_at);
      IkeScript s;
      v1::authenticate(s);
      s.ike(55, from, v1::sealed(wire::v1_informational, 9, kNotifyWithCookies, 9), 4500);
      quick_mode(s, quick_at);
      s.pass(6000);
      EXPECT_THAT(s.active(), IsEmpty());
      EXPECT_THAT(s.cleared(), IsEmpty());
      EXPECT_EQ(s.state(), "up");
    }
  }
}

TEST(VendorLife, InitialContactTogetherWithAnotherWord) {
  IkeScript s;
  v1::authenticate(s);
  s.ike(55, From::remote, v1::sealed(wire::v1_informational, 9, kNotifyWithCookies, 9), 4500);
  s.ike(57, From::remote, v1::sealed(wire::v1_informational, 10, v1::kHash + 40, 10), 4500);  // RESPONDER-LIFETIME
  quick_mode(s, 70);
  s.pass(6000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// RFC 2408 section 3.1: the commit bit has the responder say when its side stands.
TEST(VendorLife, ConnectedBehindQuickMode) {
  for (const bool committed : {true, false}) {
    SCOPED_TRACE(committed);
    IkeScript s;
    v1::authenticate(s);
    quick_mode(s, 100, committed ? 0x03 : 0x01);
    s.ike(140, From::remote, v1::sealed(wire::v1_informational, 9, kNotifyOfChild, 9), 4500);
    s.pass(6000);
    EXPECT_EQ(testing::Value(s.active(), Contains("peer_request")), !committed);
    EXPECT_EQ(s.state(), committed ? "up" : "down");
  }
}

RawMessage skf(std::uint8_t exchange, std::uint32_t id, std::uint16_t piece, std::uint16_t total, bool answer,
               std::uint8_t first) {
  Buffer body{piece == 1 ? first : std::uint8_t{0}};
  put(body, piece, 2);
  put(body, total, 2);
  body.resize(body.size() + 900, static_cast<std::uint8_t>(piece + 10 * id));
  const std::vector<RawPayload> payloads{{wire::v2_encrypted_fragment, body}};
  return answer ? response(exchange, id, payloads) : request(exchange, id, payloads);
}

// RFC 9242 and 9370: a key exchange that is too large for the first message goes behind it, in pieces both ways.
TEST(VendorLife, AnIntermediateExchangeInFragments) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  for (std::uint16_t piece = 1; piece <= 2; ++piece)
    s.ike(20 + piece, From::local, skf(wire::ike_intermediate, 1, piece, 2, false, wire::v2_ke));
  for (std::uint16_t piece = 1; piece <= 2; ++piece)
    s.ike(30 + piece, From::remote, skf(wire::ike_intermediate, 1, piece, 2, true, wire::v2_ke));
  s.ike(40, From::local, sealed(wire::ike_auth, 2, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(50, From::remote, sealed_answer(wire::ike_auth, 2, wire::v2_id_responder, kAuthAnswer), 4500);
  s.pass(1000);
  s.ike(5000, From::local, sealed(wire::create_child_sa, 3, wire::v2_notify, 400), 4500);
  s.ike(5010, From::remote, sealed_answer(wire::create_child_sa, 3, wire::v2_sa, 400), 4500);
  s.ike(5020, From::local, skf(wire::ike_followup_ke, 4, 1, 2, false, wire::v2_ke), 4500);
  s.ike(5021, From::local, skf(wire::ike_followup_ke, 4, 2, 2, false, wire::v2_ke), 4500);
  s.ike(5030, From::remote, skf(wire::ike_followup_ke, 4, 1, 2, true, wire::v2_ke), 4500);
  s.ike(5031, From::remote, skf(wire::ike_followup_ke, 4, 2, 2, true, wire::v2_ke), 4500);
  s.pass(9000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// RFC 7383 section 2.6: such a fragment is discarded by whoever receives it.
TEST(VendorLife, AFragmentWithoutANumberAnswersNothing) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(30, From::remote, skf(wire::ike_auth, 1, 0, 2, true, wire::v2_id_responder), 4500);
  s.pass(900);
  EXPECT_EQ(s.state(), "negotiating");
  EXPECT_THAT(s.active(), Contains("malformed_payload"));
  s.ike(1000, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  s.pass(3000);
  EXPECT_EQ(s.state(), "up");
}

// RFC 5723: a ticket that is not taken is followed by a negotiation from scratch.
TEST(VendorLife, ASessionTicketThatIsNotTaken) {
  constexpr std::uint16_t kTicketNack = 16412;
  IkeScript s;
  RawMessage resume = init_request();
  resume.exchange = wire::ike_session_resume;
  resume.spi_i = 0x55;
  resume.payloads = {{wire::v2_nonce, Buffer(32, 3)}, notify_v2(16413, Buffer(100, 4))};
  RawMessage nack = notified(kTicketNack);
  nack.exchange = wire::ike_session_resume;
  nack.spi_i = 0x55;
  s.ike(0, From::local, resume);
  s.ike(10, From::remote, nack);
  connect(s, 100);
  s.pass(3000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// RFC 7296 section 2.3: several requests may be under way, and their answers come in any order.
TEST(VendorLife, AWindowLargerThanOne) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  for (std::uint32_t id = 2; id <= 5; ++id)
    s.ike(2000 + static_cast<int>(id), From::local, sealed(wire::create_child_sa, id, wire::v2_sa, 400), 4500);
  for (const std::uint32_t id : {4U, 2U, 5U, 3U})
    s.ike(2020 + static_cast<int>(id), From::remote, sealed_answer(wire::create_child_sa, id, wire::v2_sa, 400), 4500);
  s.pass(8000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// A capture filtered by ports lacks the later fragments of IKE_AUTH, and so all of it.
TEST(VendorLife, AuthenticationThatTheCaptureLacks) {
  for (const bool by_traffic : {true, false}) {
    SCOPED_TRACE(by_traffic);
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, init_response());
    if (by_traffic) {
      s.esp(1000, From::local, 2);
      s.esp(1010, From::remote, 2);
      EXPECT_EQ(s.state(), "negotiating") << "it may be of an SA before";
      s.esp(3000, From::local, 4);
      s.esp(3010, From::remote, 4);
    } else {
      s.ike(3000, From::local, sealed(wire::informational, 2, 0, 0), 4500);
      s.ike(3010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
    }
    EXPECT_EQ(s.state(), "up");
    EXPECT_THAT(s.active(), IsEmpty());
  }
}

// The capture begins in the life of an SA: the child that is rekeyed was there before.
TEST(VendorLife, ARekeyWhoseOldChildTheCaptureNeverSaw) {
  IkeScript s;
  s.ike(0, From::local, sealed(wire::create_child_sa, 20, wire::v2_notify, 400), 4500);
  s.ike(10, From::remote, sealed_answer(wire::create_child_sa, 20, wire::v2_sa, 400), 4500);
  RawMessage remove = sealed(wire::informational, 3, wire::v2_delete, 12);
  RawMessage done = sealed_answer(wire::informational, 3, wire::v2_delete, 12);
  remove.flags = 0x00;
  done.flags = 0x28;
  s.ike(30000, From::remote, remove, 4500);  // long after: its own lifetime ended
  s.ike(30010, From::local, done, 4500);
  s.pass(40000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// Interfaces read one after the other put an answer in front of its request.
TEST(VendorLife, AnswersInFrontOfTheirRequests) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  for (std::uint32_t i = 0; i < 4; ++i) {
    const int ms = 2000 + static_cast<int>(i) * 3000;
    const std::uint32_t id = 2 + 2 * i;
    s.ike(ms, From::remote, sealed_answer(wire::create_child_sa, id, wire::v2_sa, 400), 4500);
    s.ike(ms + 1, From::local, sealed(wire::create_child_sa, id, wire::v2_notify, 400), 4500);
    s.ike(ms + 20, From::local, sealed(wire::informational, id + 1, wire::v2_delete, 12), 4500);
    s.ike(ms + 30, From::remote, sealed_answer(wire::informational, id + 1, wire::v2_delete, 12), 4500);
  }
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

// The clock of the capture was set an hour on between a message and its repetition.
TEST(VendorLife, AClockThatIsSetIsNoSilence) {
  IkeScript s;
  v1::authenticate(s);
  s.ike(100, From::local, v1::sealed(wire::v1_quick, 7, 160, 3), 4500);
  s.pass(101);
  s.between(3'600'000, IkeScript::kLocal, IkeScript::kRemote, 4500, 4500,
            bytes_of(v1::sealed(wire::v1_quick, 7, 160, 3)));
  EXPECT_THAT(s.active(), Not(Contains("exchange_timeout")));
}

// Many an end forgets the SA as soon as it is told to, and answers nothing.
TEST(VendorLife, ADeleteThatNobodyAnswers) {
  for (const auto from : {From::local, From::remote}) {
    SCOPED_TRACE(from == From::local ? "ours" : "the peer's");
    IkeScript s;
    connect(s);
    s.pass(1000);
    RawMessage remove = sealed(wire::informational, from == From::local ? 2 : 0, wire::v2_delete, 8);
    if (from == From::remote) remove.flags = 0x00;
    for (const int ms : {2000, 4000, 7000}) s.ike(ms, from, remove, 4500);
    s.pass(13000);
    EXPECT_EQ(s.state(), "down");
    EXPECT_THAT(s.active(), Not(Contains("dpd_timeout")));
    EXPECT_EQ(testing::Value(s.active(), Contains("peer_request")), from == From::remote);
    EXPECT_EQ(testing::Value(s.cleared(), Contains("config_modify_or_manual_offline")), from == From::local);
  }
}

// The same of a child, answered late: the other children go on.
TEST(VendorLife, ADeleteThatIsAnsweredLate) {
  IkeScript s;
  connect(s);
  s.ike(1000, From::local, sealed(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
  s.ike(1010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
  for (const int ms : {20000, 22000, 25000})
    s.ike(ms, From::local, sealed(wire::informational, 3, wire::v2_delete, 12), 4500);
  s.ike(33000, From::remote, sealed_answer(wire::informational, 3, wire::v2_delete, 12), 4500);
  s.pass(34000);
  EXPECT_EQ(s.state(), "up");
  EXPECT_THAT(s.active(), IsEmpty());
}

void successor(IkeScript& s, int ms, From from, RawMessage m, std::uint16_t port = 500) {
  m.spi_i = 0xcccc;
  if (m.spi_r != 0) m.spi_r = 0xdddd;
  s.ike(ms, from, m, port);
}

void authenticate_successor(IkeScript& s, int ms) {
  RawMessage first = v1::message(wire::v1_identity_protection, 0, {v1::sa()});
  first.spi_r = 0;
  const auto ke = [](std::uint8_t fill) {
    return v1::message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, fill)}});
  };
  successor(s, ms, From::local, first);
  successor(s, ms + 10, From::remote, v1::message(wire::v1_identity_protection, 0, {v1::sa()}));
  successor(s, ms + 20, From::local, ke(1));
  successor(s, ms + 30, From::remote, ke(2));
  successor(s, ms + 40, From::local, v1::sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  successor(s, ms + 50, From::remote, v1::sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
}

// Version 1 renews its ISAKMP SA alone: the children stay, and the old one is deleted by a message that has the size of
// a child's deletion too.
TEST(VendorLife, AnIsakmpSaThatIsRenewedAlone) {
  for (const auto from : {From::local, From::remote}) {
    SCOPED_TRACE(from == From::local ? "we delete" : "the peer deletes");
    IkeScript s;
    v1::connect(s);
    s.pass(5000);
    authenticate_successor(s, 5000);
    s.ike(5500, from, v1::sealed(wire::v1_informational, 100, v1::kDeleteIsakmp, 10), 4500);
    s.pass(12000);
    EXPECT_THAT(s.active(), IsEmpty());
    EXPECT_THAT(s.cleared(), IsEmpty());
    EXPECT_EQ(s.state(), "up");
  }
}

// And asks for the password again, with no quick mode to follow.
TEST(VendorLife, XauthAgainForARenewedIsakmpSa) {
  IkeScript s;
  v1::authenticate(s);
  for (std::uint8_t i = 0; i < 4; ++i)
    s.ike(60 + 10 * i, i % 2 == 0 ? From::remote : From::local, v1::sealed(wire::v1_transaction, 5U + i / 2, 64, i),
          4500);
  quick_mode(s, 200);
  s.pass(5000);
  authenticate_successor(s, 5000);
  for (std::uint8_t i = 0; i < 4; ++i) {
    successor(s, 5060 + 10 * i, i % 2 == 0 ? From::remote : From::local,
              v1::sealed(wire::v1_transaction, 15U + i / 2, 64, i), 4500);
  }
  s.pass(12000);
  EXPECT_THAT(s.active(), IsEmpty());
}

// Both ends delete at once: each request crosses the other's.
TEST(VendorLife, DeletionsThatCross) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  RawMessage theirs = sealed(wire::informational, 0, wire::v2_delete, 8);
  RawMessage to_theirs = sealed_answer(wire::informational, 0, 0, 0);
  theirs.flags = 0x00;
  to_theirs.flags = 0x28;
  s.ike(2000, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
  s.ike(2002, From::remote, theirs, 4500);
  s.ike(2010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  s.ike(2011, From::local, to_theirs, 4500);
  s.pass(6000);
  EXPECT_EQ(s.state(), "down");
  EXPECT_THAT(s.active(), Not(Contains("dpd_timeout")));
}

}  // namespace
}  // namespace tunnelwatch
