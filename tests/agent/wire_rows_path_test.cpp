#include "tests/support/ike_v1_messages.h"
#include "tests/support/ike_v2_messages.h"
#include "tests/support/nat_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide about what lies between the ends, as the wire alone shows them: translated addresses, ports and
// fragments that do not pass. Each has a neighbour that must not raise it.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const IpAddress kPrivate = *IpAddress::parse("192.168.1.10");

// The peer's first answer, which says from where and to where it saw our request go.
RawMessage answer_to(const IpAddress& seen, std::uint64_t spi_r = kSpiR) {
  RawMessage m = init_response();
  m.spi_r = spi_r;
  m.payloads.push_back(notify_v2(kNatDetectionSource, nat_hash(kSpiI, kSpiR, IkeScript::kRemote, 500)));
  m.payloads.push_back(notify_v2(kNatDetectionDestination, nat_hash(kSpiI, kSpiR, seen, 500)));
  return m;
}

TEST(WireRowsPath, ThisGatewayIsBehindNat) {
  for (const IpAddress& seen : {kPrivate, IkeScript::kLocal}) {
    SCOPED_TRACE(seen.to_string());
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, answer_to(seen));
    s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
    s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
    s.pass(1000);
    EXPECT_EQ(s.active() == std::vector<std::string>{"gateway_behind_nat"}, seen == kPrivate);
    EXPECT_EQ(s.state(), "up");
  }
}

TEST(WireRowsPath, HashesOfADamagedMessageAreNoNat) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, answer_to(IkeScript::kLocal, kSpiR ^ 0x40));  // one bit of the SPI fell over
  s.ike(20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  s.pass(1000);
  EXPECT_THAT(s.active(), Not(Contains("gateway_behind_nat")));
}

TEST(WireRowsPath, NatThatIsGoneIsNoFindingAnyMore) {
  IkeScript s;
  const auto negotiate = [&](int ms, const IpAddress& seen) {
    s.ike(ms, From::local, init_request());
    s.ike(ms + 10, From::remote, answer_to(seen));
    s.ike(ms + 20, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
    s.ike(ms + 30, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  };
  negotiate(0, kPrivate);
  s.ike(1000, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
  s.ike(1010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  s.pass(3000);
  EXPECT_THAT(s.active(), ElementsAre("gateway_behind_nat"));
  RawMessage ask = init_request();
  RawMessage answer = init_response();
  ask.spi_i = answer.spi_i = 0x77;
  answer.payloads.push_back(notify_v2(kNatDetectionSource, nat_hash(0x77, kSpiR, IkeScript::kRemote, 500)));
  answer.payloads.push_back(notify_v2(kNatDetectionDestination, nat_hash(0x77, kSpiR, IkeScript::kLocal, 500)));
  RawMessage on = sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest);
  on.spi_i = 0x77;
  s.ike(4000, From::local, ask);
  s.ike(4010, From::remote, answer);
  s.ike(4020, From::local, on, 4500);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.events(), Contains("nat_gone"));
}

TEST(WireRowsPath, NatAndYetThePeersStayOn500) {
  for (const IpAddress& seen : {kPrivate, IkeScript::kLocal}) {
    SCOPED_TRACE(seen.to_string());
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, answer_to(seen));
    for (const int ms : {20, 1020, 2520})
      s.ike(ms, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest));
    EXPECT_EQ(testing::Value(s.active(), Contains("nat_detection_fail")), seen == kPrivate);
    EXPECT_THAT(s.active(), Contains("exchange_timeout"));
  }
}

// RFC 7383: the request goes in pieces, and nothing comes back.
TEST(WireRowsPath, FragmentsThatNeverMakeAMessage) {
  for (const bool answered : {false, true}) {
    SCOPED_TRACE(answered);
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, init_response());
    for (const int ms : {20, 1020, 2520}) {
      for (std::uint16_t piece = 1; piece <= 3; ++piece) {
        Buffer body{piece == 1 ? std::uint8_t{wire::v2_id_initiator} : std::uint8_t{0}};
        put(body, piece, 2);
        put(body, 3, 2);
        body.resize(body.size() + 600, static_cast<std::uint8_t>(piece));
        s.ike(ms + piece, From::local, request(wire::ike_auth, 1, {{wire::v2_encrypted_fragment, body}}), 4500);
      }
    }
    if (answered) {
      s.ike(2600, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
      s.pass(4000);
      EXPECT_THAT(s.active(), IsEmpty());
    } else {
      EXPECT_THAT(s.active(), Contains("fragment_packet_reassemble_timeout"));
    }
  }
}

TEST(WireRowsPath, APortUnreachableOfWhoAskedAndLeftIsNoBlockedPort) {
  for (const auto asker : {From::local, From::remote}) {
    SCOPED_TRACE(asker == From::local ? "this gateway asks" : "the peer asks");
    IkeScript s;
    s.ike(0, asker, init_request());
    if (asker == From::remote) s.ike(10, From::local, init_response());
    s.icmp(20, /*from_peer=*/true, 3, 3, wire::DatagramKind::ike, 500);
    EXPECT_EQ(testing::Value(s.active(), Contains("ike_port_500_blocked")), asker == From::local);
  }
}

TEST(WireRowsPath, OneRepetitionOn4500IsNoBlockedPort) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  for (const int ms : {20, 1020})
    s.ike(ms, From::local, sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest), 4500);
  s.ike(1030, From::remote, sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer), 4500);
  s.pass(3000);
  EXPECT_THAT(s.active(), Not(Contains("ike_port_4500_blocked")));
  EXPECT_EQ(s.state(), "up");
}

// A packet each way twice a second; the streams tell how many they have had in all.
void traffic(IkeScript& s, int from, int to) {
  for (int ms = from; ms <= to; ms += 500) {
    s.esp(ms, From::local, static_cast<std::uint64_t>(ms / 500));
    s.esp(ms + 5, From::remote, static_cast<std::uint64_t>(ms / 500));
  }
}

// 3DES, whose blocks tell the deletion of the ISAKMP SA from that of a child by size.
TEST(WireRowsPath, TheChildrenFallSilentWithTheirIsakmpSa) {
  for (const bool goes_on : {false, true}) {
    SCOPED_TRACE(goes_on);
    IkeScript s;
    v1::connect(s, 0, v1::kTripleDes);
    traffic(s, 1000, 5000);
    s.ike(5200, From::remote, v1::sealed(wire::v1_informational, 100, v1::kDeleteIsakmp, 10), 4500);
    if (goes_on) traffic(s, 5500, 9000);
    s.pass(12000);
    EXPECT_EQ(testing::Value(s.active(), Contains("ikev1_phase1_phase2_sa_dependent_offline")), !goes_on);
    if (goes_on) {
      EXPECT_THAT(s.active(), IsEmpty());
    }
  }
}

TEST(WireRowsPath, AnIsakmpSaThatASuccessorReplacedTakesNoChildrenAlong) {
  IkeScript s;
  v1::connect(s, 0, v1::kTripleDes);
  traffic(s, 1000, 4000);
  const auto successor = [&](int ms, From from, RawMessage m, std::uint16_t port = 500) {
    m.spi_i = 0xcccc;
    if (m.spi_r != 0) m.spi_r = 0xdddd;
    s.ike(ms, from, m, port);
  };
  RawMessage first = v1::message(wire::v1_identity_protection, 0, {v1::sa(v1::kTripleDes)});
  first.spi_r = 0;
  successor(4100, From::local, first);
  successor(4110, From::remote, v1::message(wire::v1_identity_protection, 0, {v1::sa(v1::kTripleDes)}));
  successor(4120, From::local, v1::message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 1)}}));
  successor(4130, From::remote, v1::message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 2)}}));
  successor(4140, From::local, v1::sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  successor(4150, From::remote, v1::sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
  s.ike(4300, From::local, v1::sealed(wire::v1_informational, 100, v1::kDeleteIsakmp, 10), 4500);
  s.pass(9000);  // and by chance nobody has anything to send
  EXPECT_THAT(s.active(), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch
