#include "tests/support/ike_v2_messages.h"
#include "tests/support/nat_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide that the wire alone shows and that no conversation of watch_v1_test or watch_v2_test is about. Each
// has a neighbour that looks alike and must not raise it.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

const IpAddress kElsewhere = *IpAddress::parse("203.0.113.7");

TEST(WireRows, AGroupThatWasOfferedAndIsNotRetriedIsTheInitiators) {
  for (const bool retried : {false, true}) {
    SCOPED_TRACE(retried);
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, notified(17, {0, 14}));
    RawMessage again = init_request();
    again.payloads.back().body = Buffer(32, 9);
    if (retried) s.ike(100, From::local, again);
    s.pass(2000);
    EXPECT_EQ(s.active() == std::vector<std::string>{"initiator_dh_mismatch"}, !retried);
  }
}

TEST(WireRows, AGroupThatWasNotOfferedIsTheResponders) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, notified(17, {0, 21}));
  s.pass(2000);
  EXPECT_THAT(s.active(), Contains("responder_dh_mismatch"));
  IkeScript anew;  // the group comes back under another SPI
  anew.ike(0, From::local, init_request());
  anew.ike(10, From::remote, notified(17, {0, 21}));
  RawMessage again = init_request({12, 256, 5, 12, 21});
  again.spi_i = 0x77;
  anew.ike(150, From::local, again);
  anew.pass(2000);
  EXPECT_THAT(anew.active(), IsEmpty());
}

TEST(WireRows, OneVersionAskedTheOtherAnswered) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  RawMessage old = response(wire::v1_informational, 1, {});
  old.version = 0x10;
  old.flags = 0;
  old.spi_i = kSpiI;
  s.ike(10, From::remote, old);
  s.ike(1000, From::local, init_request());
  s.ike(3000, From::local, init_request());
  EXPECT_THAT(s.active(), Contains("version_mismatch"));
  IkeScript both;  // each end asks in its own version, and one of them gets through
  both.ike(0, From::local, init_request());
  RawMessage other = old;
  other.spi_i = 0x99;
  other.exchange = wire::v1_identity_protection;
  other.spi_r = 0;
  both.ike(5, From::remote, other);
  connect(both, 100);
  both.pass(2000);
  EXPECT_THAT(both.active(), Not(Contains("version_mismatch")));
}

TEST(WireRows, AVersionThatDoesNotExist) {
  IkeScript s;
  s.ike(0, From::remote, init_request());
  RawMessage odd = init_request();
  odd.version = 0x50;
  odd.spi_i = 0x55;
  s.ike(10, From::remote, odd);
  EXPECT_THAT(s.active(), Contains("unsupported_version"));
  IkeScript dns;  // anything may be sent to UDP 500
  dns.raw(0, From::remote, Buffer(40, 0));
  EXPECT_TRUE(dns.watch().tunnels().empty());
}

TEST(WireRows, AnAnswerFromAnotherAddressThanWasAsked) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.between(10, kElsewhere, IkeScript::kLocal, 500, 500, bytes_of(init_response()));
  EXPECT_THAT(s.active(), testing::IsSupersetOf({"peer_address_mismatch", "gateway_address_not_mirrored"}));
  IkeScript moved;  // MOBIKE: an SA that stands goes on elsewhere
  connect(moved);
  moved.pass(1000);
  RawMessage update = sealed(wire::informational, 2, wire::v2_notify, 56);
  moved.between(1500, kElsewhere, IkeScript::kRemote, 4500, 4500, bytes_of(update));
  moved.pass(2000);
  EXPECT_THAT(moved.active(), IsEmpty());
  EXPECT_THAT(moved.events(), Contains("address_changed"));
}

TEST(WireRows, LengthsPayloadsAndMessagesThatAreWrong) {
  const auto causes_of = [](const Buffer& bytes) {
    IkeScript s;
    s.raw(0, From::local, bytes);
    return s.active();
  };
  Buffer longer = bytes_of(init_request());
  longer[27] = static_cast<std::uint8_t>(longer[27] + 40);
  EXPECT_THAT(causes_of(longer), Contains("invalid_length"));
  Buffer broken = bytes_of(init_request());
  broken[30] = 0;  // the length of the SA payload: less than its own header
  broken[31] = 3;
  EXPECT_THAT(causes_of(broken), Contains("malformed_payload"));
  EXPECT_THAT(causes_of(bytes_of(init_request())), IsEmpty());
  IkeScript refused;
  refused.ike(0, From::local, init_request());
  refused.ike(10, From::remote, notified(7));
  EXPECT_THAT(refused.active(), Contains("malformed_message"));
}

TEST(WireRows, AnExchangeThatNoRegistryHas) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  RawMessage strange = init_request();
  strange.exchange = 77;
  strange.spi_i = 0x66;
  s.ike(10, From::remote, strange);
  EXPECT_THAT(s.active(), Contains("unknown_exchange_type"));
  connect(s, 100);
  s.pass(1000);
  EXPECT_THAT(s.active(), IsEmpty()) << "the tunnel came up";
}

TEST(WireRows, AnUnknownPayloadIsDroppedOrRefused) {
  IkeScript s;
  RawMessage request = init_request();
  request.payloads.push_back({200, Buffer(8), false});
  for (const int ms : {0, 1000, 3000}) s.ike(ms, From::local, request);
  EXPECT_THAT(s.active(), Contains("uncritical_drop"));
  IkeScript answered;
  answered.ike(0, From::local, request);
  answered.ike(10, From::remote, init_response());
  EXPECT_THAT(answered.active(), IsEmpty());
}

TEST(WireRows, AnotherResponderSpiInsideOneNegotiation) {
  IkeScript s;
  s.ike(0, From::local, init_request());
  s.ike(10, From::remote, init_response());
  RawMessage second = init_response();
  second.spi_r = 0xcccc;
  s.ike(900, From::remote, second);
  EXPECT_THAT(s.active(), Contains("cookie_mismatch"));
  IkeScript repeated;
  repeated.ike(0, From::local, init_request());
  repeated.ike(10, From::remote, init_response());
  repeated.ike(900, From::remote, init_response());
  EXPECT_THAT(repeated.active(), IsEmpty());
}

TEST(WireRows, WordsInClearAboutAnSaThatIsGone) {
  for (const std::uint16_t word : {std::uint16_t{4}, std::uint16_t{11}}) {
    SCOPED_TRACE(word);
    IkeScript s;
    connect(s);
    s.pass(1000);
    s.ike(5000, From::remote, response(wire::informational, 2, {notify_v2(word)}), 4500);
    EXPECT_THAT(s.active(), IsEmpty()) << "anybody can forge it while the tunnel works";
    for (const int ms : {6000, 7000, 9000}) s.ike(ms, From::local, sealed(wire::informational, 2, 0, 0), 4500);
    EXPECT_THAT(s.active(), Contains(word == 4 ? "invalid_cookie" : "receive_invalid_spi_notify"));
  }
}

TEST(WireRows, TheChildToBeRekeyedIsNotThere) {
  const Suite gcm{20, 256, 6, 0, 20};
  for (const std::size_t size : {std::size_t{12}, std::size_t{8}}) {
    SCOPED_TRACE(size);
    IkeScript s;
    connect(s, 0, gcm);
    s.pass(1000);
    s.ike(4000, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400, gcm), 4500);
    s.ike(4010, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_notify, size, gcm), 4500);
    s.pass(5000);
    EXPECT_EQ(s.active().front(), size == 12 ? "rekey_no_find_old_sa" : "phase2_proposal_or_pfs_mismatch");
  }
}

TEST(WireRows, ARekeyThatNobodyAnswers) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  for (const int ms : {4000, 5000, 7000})
    s.ike(ms, From::local, sealed(wire::create_child_sa, 2, wire::v2_notify, 400), 4500);
  EXPECT_THAT(s.active(), Contains("rekey_fail"));
  s.ike(7500, From::remote, sealed_answer(wire::create_child_sa, 2, wire::v2_sa, 400), 4500);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(WireRows, CookiesThatLeadNowhereLimitFirstPackets) {
  for (const bool led_on : {false, true}) {
    SCOPED_TRACE(led_on);
    IkeScript s;
    for (std::uint8_t i = 0; i < 4; ++i) {
      RawMessage ask = init_request();
      ask.spi_i = 0x100U + i;
      RawMessage challenge = notified(16390, Buffer(20, i));
      challenge.spi_i = ask.spi_i;
      s.ike(i * 1000, From::local, ask);
      s.ike(i * 1000 + 10, From::remote, challenge);
      if (!led_on) continue;
      RawMessage answer = init_response();
      answer.spi_i = ask.spi_i;
      s.ike(i * 1000 + 20, From::remote, answer);
    }
    EXPECT_EQ(s.active() == std::vector<std::string>{"first_packet_limited"}, !led_on);
  }
}

TEST(WireRows, MoreFragmentsThanAnyHonestMessageHas) {
  for (const std::uint16_t total : {std::uint16_t{200}, std::uint16_t{4}}) {
    SCOPED_TRACE(total);
    IkeScript s;
    s.ike(0, From::local, init_request());
    s.ike(10, From::remote, init_response());
    Buffer body{wire::v2_id_initiator};
    put(body, 1, 2);
    put(body, total, 2);
    body.resize(body.size() + 600, 0x5a);
    s.ike(20, From::local, request(wire::ike_auth, 1, {{wire::v2_encrypted_fragment, body}}), 4500);
    EXPECT_EQ(s.active() == std::vector<std::string>{"fragment_packet_limit"}, total == 200);
  }
}

TEST(WireRows, ThePeersPortChangesAndTrafficStops) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  const auto liveness = [](std::uint32_t id) { return sealed_answer(wire::informational, id, 0, 0); };
  s.between(2000, IkeScript::kRemote, IkeScript::kLocal, 61000, 4500, bytes_of(liveness(2)));
  s.between(3000, IkeScript::kRemote, IkeScript::kLocal, 61077, 4500, bytes_of(liveness(3)));
  EXPECT_THAT(s.active(), IsEmpty()) << "a new port alone harms nobody";
  for (const int ms : {4000, 5000, 7000}) s.ike(ms, From::local, sealed(wire::informational, 4, 0, 0), 4500);
  EXPECT_EQ(s.active().front(), "hard_expiry_triggered_by_port_mismatch");
}

// Several SAs one after the other: who deletes the older one tells whether it was replaced or kicked out.
TEST(WireRows, TheOldSaIsKickedOutAgainAndAgain) {
  for (const bool by_peer : {true, false}) {
    SCOPED_TRACE(by_peer);
    IkeScript s;
    for (int i = 0; i < 5; ++i) {
      connect(s, i * 10000);
      s.pass(i * 10000 + 1000);
      if (i == 0) continue;
      const auto old = static_cast<std::uint64_t>((i - 1) * 10000);
      RawMessage remove = sealed(wire::informational, by_peer ? 0 : 2, wire::v2_delete, 8);
      RawMessage done = sealed_answer(wire::informational, by_peer ? 0 : 2, 0, 0);
      if (by_peer) {
        remove.flags = 0x00;
        done.flags = 0x28;
      }
      remove.spi_i += old;
      done.spi_i += old;
      s.ike(i * 10000 + 1000, by_peer ? From::remote : From::local, remove, 4500);
      s.ike(i * 10000 + 1010, by_peer ? From::local : From::remote, done, 4500);
      s.pass(i * 10000 + 2500);
    }
    EXPECT_EQ(s.active(), std::vector<std::string>{by_peer ? "kick_old_sa_with_same_flow" : "phase1_sa_replace"});
  }
}

TEST(WireRows, OneReplacementIsNormalLife) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  connect(s, 10000);
  s.pass(11000);
  s.ike(11000, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
  s.ike(11010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  s.pass(13000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.state(), "up");
}

TEST(WireRows, ChildrenThatTakeOverWithoutARekey) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  std::uint32_t id = 2;
  for (int i = 0; i < 4; ++i) {
    if (i == 1) {
      EXPECT_THAT(s.active(), IsEmpty()) << "once is normal";
    }
    const int ms = 2000 + i * 3000;
    s.ike(ms, From::local, sealed(wire::create_child_sa, id, wire::v2_sa, 400), 4500);
    s.ike(ms + 10, From::remote, sealed_answer(wire::create_child_sa, id++, wire::v2_sa, 400), 4500);
    s.ike(ms + 20, From::local, sealed(wire::informational, id, wire::v2_delete, 12), 4500);
    s.ike(ms + 30, From::remote, sealed_answer(wire::informational, id++, wire::v2_delete, 12), 4500);
  }
  EXPECT_THAT(s.active(), testing::ElementsAre("phase2_sa_replace"));
}

TEST(WireRows, OneSpiOfTwoPeers) {
  for (const bool turns : {true, false}) {
    SCOPED_TRACE(turns);
    IkeScript s;
    connect(s);
    for (int i = 1; i <= 8; ++i) {
      s.pass(1000 * i);
      passive::EspStreamSummary e;
      e.source = turns && i % 2 == 0 ? kElsewhere : i < 5 || turns ? IkeScript::kRemote : kElsewhere;
      e.destination = IkeScript::kLocal;
      e.spi = 0x2000;
      e.live = true;
      e.packets = static_cast<std::uint64_t>(10 * i);
      e.first = e.last = IkeScript::at(1000 * i);
      s.watch().on_esp(e);
      s.watch().settle(e.last);
    }
    EXPECT_EQ(testing::Value(s.active(), Contains("spi_conflict")), turns);
  }
}

TEST(WireRows, AnOrderlyDeleteOfOursIsHistory) {
  IkeScript s;
  connect(s);
  s.pass(1000);
  s.ike(2000, From::local, sealed(wire::informational, 2, wire::v2_delete, 8), 4500);
  s.ike(2010, From::remote, sealed_answer(wire::informational, 2, 0, 0), 4500);
  s.pass(4000);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), Contains("config_modify_or_manual_offline"));
}

// A configured tunnel, and IKE that leaves from another address: ours, or one that something put in its place.
class SourceAddress : public testing::Test {
 protected:
  std::vector<std::string> causes(const IpAddress& source, const IpAddress& hashed) {
    IkeScript s;
    config::Tunnel tunnel;
    tunnel.name = "office";
    tunnel.local = IkeScript::kLocal;
    tunnel.remote = {"198.51.100.20", IkeScript::kRemote};
    s.watch().configure({tunnel});
    RawMessage m = init_request();
    m.payloads.push_back(notify_v2(kNatDetectionSource, nat_hash(kSpiI, 0, hashed, 500)));
    s.between(0, source, IkeScript::kRemote, 500, 500, bytes_of(m));
    std::vector<std::string> names;
    for (const auto* c : s.watch().find("office")->verdict().ranked()) {
      if (c->active) names.emplace_back(to_string(c->cause));
    }
    return names;
  }
};

TEST_F(SourceAddress, OfOursButNotTheConfiguredOne) {
  EXPECT_THAT(causes(kElsewhere, kElsewhere), Contains("local_address_mismatch"));
  EXPECT_THAT(causes(IkeScript::kLocal, IkeScript::kLocal), IsEmpty());
}

TEST_F(SourceAddress, TranslatedBehindTheDaemon) {
  EXPECT_THAT(causes(kElsewhere, IkeScript::kLocal), Contains("public_address_translated_again"));
  EXPECT_THAT(causes(kElsewhere, kElsewhere), Not(Contains("public_address_translated_again")));
}

}  // namespace
}  // namespace tunnelwatch
