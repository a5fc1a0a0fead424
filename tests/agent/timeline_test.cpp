#include "agent/timeline.h"

#include "tests/support/ike_script.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The timeline as text, from conversations told in milliseconds.
namespace tunnelwatch {
namespace {

using namespace std::chrono_literals;
using test::Buffer;
using test::IkeScript;
using test::RawMessage;
using From = IkeScript::From;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

RawMessage init(bool answer, std::vector<test::RawPayload> more = {}) {
  RawMessage m;
  m.spi_r = answer ? 2 : 0;
  m.flags = answer ? 0x20 : 0x08;
  m.payloads = {test::sa_v2({}), test::ke_v2(14), {wire::v2_nonce, Buffer(32, answer ? 2 : 1)}};
  m.payloads.insert(m.payloads.end(), more.begin(), more.end());
  return m;
}

RawMessage sealed(std::uint8_t exchange, std::uint32_t id, bool answer, std::uint8_t first, std::size_t plaintext) {
  RawMessage m;
  m.spi_r = 2;
  m.exchange = exchange;
  m.message_id = id;
  m.flags = answer ? 0x20 : 0x08;
  m.payloads = {test::encrypted_v2(first, plaintext)};
  return m;
}

struct Story {
  explicit Story(const agent::TimelineOptions& options = {})
      : timeline(script.watch(), options, [this](std::string_view lines) { text += lines; }) {
    script.through(timeline, [this](TimePoint now) { timeline.advance(now); });
  }

  void connect() {
    script.ike(0, From::local, init(false));
    script.ike(10, From::remote, init(true));
    script.ike(20, From::local, sealed(wire::ike_auth, 1, false, wire::v2_id_initiator, 220), 4500);
    script.ike(30, From::remote, sealed(wire::ike_auth, 1, true, wire::v2_id_responder, 180), 4500);
    script.pass(1500);
  }
  void esp(int ms, From from, std::uint32_t spi, std::uint64_t packets, int first_ms, std::uint64_t lost = 0) {
    script.pass(ms);
    passive::EspStreamSummary s;
    s.source = from == From::local ? IkeScript::kLocal : IkeScript::kRemote;
    s.destination = from == From::local ? IkeScript::kRemote : IkeScript::kLocal;
    s.spi = spi;
    s.packets = packets;
    s.bytes = packets * 100;
    s.lost = lost;
    s.first = at(first_ms);
    s.last = at(ms);
    timeline.on_esp(s);
    script.watch().settle(s.last);
  }
  static TimePoint at(int ms) { return TimePoint{} + 1h + std::chrono::milliseconds(ms); }
  // What was written since the last call.
  std::string take() { return std::exchange(text, {}); }

  std::string text;
  IkeScript script;
  agent::Timeline timeline;
};

constexpr char kSuite[] = "AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048";

TEST(Timeline, AConnectionThatComesUp) {
  Story story;
  story.connect();
  const std::string offer = std::string("SA(") + kSuite + ") KE(MODP_2048) Nonce(32)";
  // How long the tracker doubts before it says so is its own affair.
  EXPECT_THAT(story.text,
              StartsWith("-- 1970-01-01 UTC\n"
                         "-- 192.0.2.10 (this gateway) - 198.51.100.20 (the peer)\n"
                         "01:00:00.000     0.000 -> IKE_SA_INIT request " +
                         offer +
                         "\n"
                         "                          = this gateway begins a negotiation in IKEv2\n"
                         "                          * the tunnel is being negotiated\n"
                         "01:00:00.010     0.010 <- IKE_SA_INIT response " +
                         offer +
                         "\n"
                         "                          = the peer accepts the offer\n"
                         "01:00:00.020     0.020 -> IKE_AUTH request encrypted 288 bytes, first IDi [UDP 4500]\n"
                         "01:00:00.030     0.030 <- IKE_AUTH response encrypted 256 bytes, first IDr\n"
                         "01:00:00."));
  EXPECT_THAT(story.text, EndsWith("    = the IKE SA stands\n"
                                   "                          = the IPsec SA stands\n"
                                   "                          * the tunnel is up\n"));
}

TEST(Timeline, SilenceAndRepetitions) {
  Story story;
  story.script.ike(0, From::local, init(false));
  story.take();
  story.script.pass(3900);
  EXPECT_EQ(story.take(), "01:00:02.600     2.600    = no answer for 2.6 s\n");
  story.script.ike(4000, From::local, init(false));
  EXPECT_THAT(story.take(), HasSubstr("01:00:04.000     4.000 -> IKE_SA_INIT request, the same 376 bytes again\n"
                                      "                          = no answer for 4.0 s; sent again, 2 times by now\n"));
  story.script.pass(11200);
  EXPECT_EQ(story.take(), "");  // the tracker goes on; the story has said it
  story.script.ike(11200, From::local, init(false));
  EXPECT_THAT(story.take(), HasSubstr("= no answer for 11.2 s; sent again, 3 times by now\n"));
}

TEST(Timeline, CausesWhenTheyRiseAndWhenTheyAreOver) {
  Story story;
  story.script.ike(0, From::local, init(false));
  story.script.ike(10, From::remote, init(true));
  story.script.ike(20, From::local, sealed(wire::ike_auth, 1, false, wire::v2_id_initiator, 220), 4500);
  story.take();
  story.script.ike(30, From::remote, sealed(wire::ike_auth, 1, true, wire::v2_notify, 8), 4500);
  story.script.pass(2000);
  const std::string refused = story.take();
  EXPECT_THAT(refused, HasSubstr("<- IKE_AUTH response encrypted 80 bytes, first N\n"));
  EXPECT_THAT(refused, HasSubstr("= the peer answered IKE_AUTH with 80 bytes: one error notify and nothing else, so it "
                                 "refused the authentication\n"));
  EXPECT_THAT(refused, HasSubstr("! Peer authentication failed (authentication_fail, "));
  EXPECT_THAT(refused, HasSubstr("* the tunnel is down\n"));
  const auto renewed = [](RawMessage m) {
    m.spi_i += 1;
    return m;
  };
  story.script.ike(5000, From::local, renewed(init(false)));
  story.script.ike(5010, From::remote, renewed(init(true)));
  story.script.ike(5020, From::local, renewed(sealed(wire::ike_auth, 1, false, wire::v2_id_initiator, 220)), 4500);
  story.script.ike(5030, From::remote, renewed(sealed(wire::ike_auth, 1, true, wire::v2_id_responder, 180)), 4500);
  story.script.pass(7000);
  EXPECT_THAT(story.take(), HasSubstr("! over: Peer authentication failed (authentication_fail)\n"));
}

TEST(Timeline, IcmpThatQuotesOurIkeOrThePeers) {
  Story story;
  story.script.ike(0, From::local, init(false));
  story.take();
  story.script.icmp(5, /*from_peer=*/false, 3, 13, wire::DatagramKind::ike, 500);
  const std::string rejected = story.take();
  EXPECT_THAT(rejected,
              HasSubstr("01:00:00.005     0.005 <- 192.0.2.1 (a device on the path) rejects our IKE on UDP 500 by "
                        "ICMP: administratively prohibited: a filter refuses it\n"));
  EXPECT_THAT(rejected, HasSubstr("! UDP 500 does not pass (ike_port_500_blocked, confirmed)\n"));
  wire::Datagram error;
  error.source = IkeScript::kLocal;
  error.destination = IkeScript::kRemote;
  error.icmp_type = 3;
  error.icmp_code = 3;
  wire::Datagram quoted;
  quoted.kind = wire::DatagramKind::esp;
  quoted.source = IkeScript::kRemote;
  quoted.destination = IkeScript::kLocal;
  story.timeline.on_icmp_error(error, quoted, Story::at(20));
  EXPECT_EQ(story.take(),
            "01:00:00.020     0.020 -> 192.0.2.10 rejects the peer's ESP by ICMP: port unreachable: nothing "
            "listens there\n");
}

TEST(Timeline, EspStreamsBeginEndAndGoOn) {
  Story story;
  story.connect();
  story.take();
  story.esp(2000, From::local, 0x1000, 1, 2000);
  EXPECT_EQ(story.take(), "01:00:02.000     2.000 -> ESP SPI 0x00001000 begins\n");
  story.esp(3000, From::local, 0x1000, 40, 2000, 2);
  EXPECT_EQ(story.take(), "");
  // A rekey: the old stream is over two seconds after its last packet.
  story.esp(3500, From::local, 0x1001, 1, 3500);
  EXPECT_EQ(story.take(), "01:00:03.500     3.500 -> ESP SPI 0x00001001 begins\n");
  story.script.pass(8000);
  EXPECT_THAT(story.take(), HasSubstr(" -> ESP SPI 0x00001000 ended "));
  story.esp(9000, From::local, 0x1001, 60, 3500);
  EXPECT_EQ(story.take(), "");
  story.script.pass(75000);
  EXPECT_THAT(story.take(),
              HasSubstr("-> ESP SPI 0x00001001 ended 60.1 s ago: 60 packets, 6000 bytes in 5.5 s, 0 lost\n"));
  story.esp(80000, From::local, 0x1001, 61, 3500);
  EXPECT_THAT(story.take(), HasSubstr("-> ESP SPI 0x00001001 goes on after 71.0 s\n"));
  story.esp(80100, From::remote, 0x2000, 1, 80100);
  story.take();
  story.timeline.finish(Story::at(80200));
  EXPECT_THAT(story.take(),
              HasSubstr("<- ESP SPI 0x00002000 to the end of the capture: 1 packets, 100 bytes in 0.0 s, 0 lost\n"));
}

TEST(Timeline, LossIsInTheLastLineOfAStream) {
  Story story;
  story.connect();
  story.esp(2000, From::remote, 0x2000, 1, 2000);
  story.esp(3000, From::remote, 0x2000, 100, 2000, 7);
  story.take();
  story.timeline.finish(Story::at(3100));
  EXPECT_THAT(story.text, HasSubstr("100 packets, 10000 bytes in 1.0 s, 7 lost\n"));
}

wire::Datagram between(const IpAddress& source, const IpAddress& destination, const Buffer& payload) {
  wire::Datagram d;
  d.kind = wire::DatagramKind::ike;
  d.source = source;
  d.destination = destination;
  d.source_port = d.destination_port = 500;
  d.ttl = 64;
  d.payload = payload;
  return d;
}

TEST(Timeline, FromTheSecondPairOnLinesAreNumbered) {
  Story story;
  const IpAddress other = *IpAddress::parse("203.0.113.7");
  const Buffer bytes = test::bytes_of(init(false));
  story.script.ike(0, From::local, init(false));
  EXPECT_THAT(story.take(), Not(HasSubstr("[1]")));
  story.timeline.on_ike(between(IkeScript::kLocal, other, bytes), Story::at(10), false);
  const std::string second = story.take();
  EXPECT_THAT(second, HasSubstr("-- [1] 192.0.2.10 (this gateway) - 198.51.100.20 (the peer)\n"
                                "-- [2] 192.0.2.10 (this gateway) - 203.0.113.7 (the peer)\n"
                                "01:00:00.010     0.010 [2] -> IKE_SA_INIT request "));
  story.script.ike(20, From::remote, init(true));
  EXPECT_THAT(story.take(), HasSubstr("01:00:00.020     0.020 [1] <- IKE_SA_INIT response "));
}

TEST(Timeline, TheDateWhenTheDayChanges) {
  Story story;
  story.script.ike(0, From::local, init(false));
  story.take();
  story.timeline.on_ike(between(IkeScript::kLocal, IkeScript::kRemote, test::bytes_of(init(false))),
                        Story::at(0) + 23h + 1ms, false);
  EXPECT_THAT(story.take(), HasSubstr("-- 1970-01-02 UTC\n00:00:00.001 82800.001 -> IKE_SA_INIT request"));
}

TEST(Timeline, AGuessedDirectionIsTakenBack) {
  Story story;
  wire::Datagram first = between(IkeScript::kRemote, IkeScript::kLocal, {});
  const Buffer request = test::bytes_of(init(false));
  const Buffer answer = test::bytes_of(init(true));
  first.payload = request;
  first.ttl = 57;  // came over routers; the answer below is as a host sends it
  story.timeline.on_ike(first, Story::at(0), false);
  EXPECT_THAT(story.take(), HasSubstr("-- 198.51.100.20 (this gateway) - 192.0.2.10 (the peer)\n"));
  story.timeline.on_ike(between(IkeScript::kLocal, IkeScript::kRemote, answer), Story::at(10), false);
  EXPECT_THAT(story.take(),
              HasSubstr("-- 192.0.2.10 (this gateway) - 198.51.100.20 (the peer): the arrows before this line "
                        "point the other way\n01:00:00.010     0.010 -> IKE_SA_INIT response "));
}

TEST(Timeline, WhatTheCaptureDidToAMessage) {
  Story story;
  story.script.ike(0, From::local, init(false));
  story.take();
  story.script.ike(5, From::local, init(false));
  EXPECT_THAT(story.take(), EndsWith("-> IKE_SA_INIT request, the same 376 bytes again [seen twice by the capture]\n"));
  story.script.raw(100, From::remote, test::bytes_of(init(true)), 500, /*reassembled=*/true);
  EXPECT_THAT(story.take(), HasSubstr(" Nonce(32) [from IP fragments]\n"));
  wire::Datagram probe = between(IkeScript::kLocal, IkeScript::kRemote, {});
  probe.source_port = 40000;
  RawMessage version3;
  version3.spi_i = 77;
  version3.version = 0x30;
  const Buffer bytes = test::bytes_of(version3);
  probe.payload = bytes;
  story.timeline.on_ike(probe, Story::at(200), false);
  EXPECT_THAT(story.take(), HasSubstr("-> IKE version 3.0, 28 bytes [a reachability probe, no part of the tunnel]\n"));
}

// Whatever a front end tells, the watch must hear of it: a sink that drops a kind changes the diagnosis without a word.
TEST(Timeline, WhatIsNeitherIkeNorEspReachesTheWatch) {
  Story story;
  agent::Watch& watch = story.script.watch();
  config::Tunnel settings;
  settings.name = "office";
  settings.remote = {IkeScript::kRemote.to_string(), IkeScript::kRemote};
  settings.local_tunnel_address = *IpAddress::parse("10.1.0.1");
  watch.configure({settings});
  const auto& facts = watch.tunnels().front()->evidence().facts();
  passive::LeakSummary leak;
  leak.tunnel = "office";
  leak.interface = 1;
  leak.carries_outer = true;
  leak.packets = 50;
  leak.first = Story::at(0);
  leak.last = Story::at(3000);
  story.timeline.on_leak(leak);
  EXPECT_TRUE(facts.is(diagnosis::FactId::leaves_in_clear));
  passive::TunnelPingSummary pings;
  pings.tunnel = "office";
  pings.inside = true;
  pings.requests = pings.unanswered_in_a_row = 10;
  pings.row_since = Story::at(0);
  pings.last = Story::at(5000);
  story.timeline.on_tunnel_pings(pings);
  EXPECT_TRUE(facts.is(diagnosis::FactId::tunnel_pings_unanswered));
}

TEST(Timeline, BgpInsideTheTunnel) {
  Story story;
  passive::BgpObservation o;
  o.speaker = *IpAddress::parse("169.254.1.1");
  o.other = *IpAddress::parse("169.254.1.2");
  o.as_number = 65010;
  o.at = Story::at(5000);
  story.timeline.on_bgp(o);
  EXPECT_THAT(story.text, HasSubstr("-- 169.254.1.1 - 169.254.1.2 (which end is this gateway is not known)\n"));
  EXPECT_THAT(story.text, HasSubstr(" BGP: 169.254.1.1 is AS 65010\n"));
  o.sight = passive::BgpSight::accepted;
  o.other_as = 65020;
  story.timeline.on_bgp(o);
  EXPECT_THAT(story.text, HasSubstr(" BGP: 169.254.1.1 accepts the other end as AS 65020\n"));
  EXPECT_TRUE(story.script.watch().tunnels().empty());
  o.sight = passive::BgpSight::refused;
  o.code = o.subcode = 2;  // Bad Peer AS
  story.timeline.on_bgp(o);
  EXPECT_THAT(story.text, HasSubstr(" BGP: 169.254.1.1 refuses the other end: NOTIFICATION 2/2\n"));
  EXPECT_EQ(story.script.watch().tunnels().size(), 1U);  // the watch heard it
}

TEST(Timeline, InChinese) {
  Story story({.language = exporters::Language::zh, .colour = false});
  story.script.ike(0, From::local, init(false));
  story.script.ike(1000, From::local, init(false));
  story.script.icmp(1005, false, 3, 13, wire::DatagramKind::ike, 500);
  EXPECT_THAT(story.text, HasSubstr("-- 192.0.2.10（本网关） - 198.51.100.20（对端）\n"));
  EXPECT_THAT(story.text, HasSubstr("= 本网关以 IKEv2 发起协商\n"));
  EXPECT_THAT(story.text, HasSubstr("-> IKE_SA_INIT request（与前一报文相同，376 字节）\n"));
  EXPECT_THAT(story.text, HasSubstr("= 1.0 秒无应答；重传，至此共发送 2 次\n"));
  EXPECT_THAT(story.text, HasSubstr("（ike_port_500_blocked，确认）\n"));
}

TEST(Timeline, ColoursOnlyWhereTheyAreWanted) {
  Story plain;
  plain.script.ike(0, From::local, init(false));
  EXPECT_EQ(plain.text.find('\x1b'), std::string::npos);
  Story coloured({.language = exporters::Language::en, .colour = true});
  coloured.script.ike(0, From::local, init(false));
  EXPECT_THAT(coloured.text, HasSubstr("\x1b[36m   = this gateway begins a negotiation in IKEv2\x1b[0m\n"));
  coloured.script.icmp(5, false, 3, 13, wire::DatagramKind::ike, 500);
  EXPECT_THAT(coloured.text, HasSubstr("\x1b[1;31m   ! UDP 500 does not pass"));
}

TEST(Timeline, AStrangersTextMovesNoCursor) {
  Story story;
  const Buffer name{2, 0, 0, 0, 0x1b, '[', '2', 'J', 0xe2, 0x80, 0xae};
  RawMessage m = init(false, {{wire::v2_vendor, Buffer{0x1b, ']', '0', ';', 'x', 7}}, {wire::v2_id_initiator, name}});
  story.script.ike(0, From::local, m);
  const auto is_control = [](char c) { return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f); };
  EXPECT_TRUE(std::none_of(story.text.begin(), story.text.end(), is_control));
  EXPECT_THAT(story.text, HasSubstr("VID(0x1b5d303b7807) IDi(FQDN 0x1b5b324ae280ae)"));
}

TEST(Timeline, AFloodOfStrangersIsForgotten) {
  Story story;
  const Buffer bytes = test::bytes_of(init(false));
  for (std::uint32_t i = 0; i < 5000; ++i) {
    story.timeline.on_ike(between(IpAddress::v4(0x0a000000U + i), IkeScript::kLocal, bytes), Story::at(0), false);
    passive::EspStreamSummary s;
    s.source = IpAddress::v4(0x0a000000U + i);
    s.destination = IkeScript::kLocal;
    s.spi = 4096 + i;
    s.packets = 1;
    s.first = s.last = Story::at(0);
    story.timeline.on_esp(s);
    story.take();
  }
  EXPECT_LE(story.timeline.remembered(), 2048U);
}

TEST(Timeline, TheWatchGoesOnWithoutIt) {
  IkeScript script;
  std::string text;
  {
    agent::Timeline timeline(script.watch(), {}, [&](std::string_view lines) { text += lines; });
  }
  script.ike(0, From::local, init(false));
  script.icmp(5, false, 3, 13, wire::DatagramKind::ike, 500);
  EXPECT_EQ(script.active().size(), 1U);
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace tunnelwatch
