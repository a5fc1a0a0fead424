#include "probes/wire/frame.h"

#include "probes/wire/esp.h"
#include "probes/wire/esp_glance.h"
#include "tests/probes/wire/frame_builder.h"

#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using namespace test;

const Buffer kMarked = joined({Buffer(4, 0), isakmp()});
const Buffer kIke500 = ipv4({}, udp(500, 500, isakmp()));

Buffer sll(unsigned packet_type, unsigned protocol, const Buffer& packet) {
  Buffer b;
  put16(b, packet_type);
  put(b, Buffer(12, 1));
  put16(b, protocol);
  put(b, packet);
  return b;
}
Buffer sll2(unsigned packet_type, unsigned protocol, const Buffer& packet) {
  Buffer b;
  put16(b, protocol);
  put(b, Buffer(8, 1));
  b.push_back(static_cast<std::uint8_t>(packet_type));
  put(b, Buffer(9, 1));
  put(b, packet);
  return b;
}
Buffer tagged(unsigned tag, const Buffer& rest) {
  Buffer b;
  put16(b, 5);  // the tag's own value
  put16(b, tag);
  put(b, rest);
  return b;
}
Buffer pppoe(unsigned protocol, const Buffer& packet) {
  Buffer b{0x11, 0, 0, 1};
  put16(b, static_cast<unsigned>(packet.size() + 2));
  put16(b, protocol);
  put(b, packet);
  return b;
}

struct Row {
  std::string name;
  LinkType link;
  Buffer frame;
  DatagramKind kind;
  std::size_t payload;
};

std::vector<Row> good_frames() {
  using enum LinkType;
  using K = DatagramKind;
  const std::size_t ike = isakmp().size();
  const Buffer v6 = ipv6({}, udp(500, 500, isakmp()));
  const Buffer error4 = icmp(3, 3, 0, kIke500);
  return {
      {"ike over ethernet", ethernet, test::ethernet(kIke500), K::ike, ike},
      {"ike over ipv6", ethernet, test::ethernet(v6), K::ike, ike},
      {"vlan tag", ethernet, test::ethernet(0x8100, tagged(0x0800, kIke500)), K::ike, ike},
      {"two vlan tags", ethernet, test::ethernet(0x88a8, tagged(0x8100, tagged(0x86dd, v6))), K::ike, ike},
      {"pppoe", ethernet, test::ethernet(0x8864, pppoe(0x0021, kIke500)), K::ike, ike},
      {"pppoe ipv6", ethernet, test::ethernet(0x8864, pppoe(0x0057, v6)), K::ike, ike},
      {"mpls, two labels", ethernet, test::ethernet(0x8847, joined({{0, 1, 0, 60, 0, 2, 0x01, 60}, kIke500})), K::ike,
       ike},
      {"mpls ipv6", ethernet, test::ethernet(0x8847, joined({{0, 2, 0x01, 60}, v6})), K::ike, ike},
      {"ppp", ppp, joined({{0xff, 0x03, 0x00, 0x21}, kIke500}), K::ike, ike},
      {"ppp without address and control", ppp, joined({{0x00, 0x57}, v6}), K::ike, ike},
      {"ppp with a short protocol", ppp, joined({{0x21}, kIke500}), K::ike, ike},
      {"raw ipv4", raw_ip, kIke500, K::ike, ike},
      {"raw ipv6", raw_ip, v6, K::ike, ike},
      {"null little-endian", null_loop, joined({{2, 0, 0, 0}, kIke500}), K::ike, ike},
      {"loop big-endian", null_loop, joined({{0, 0, 0, 2}, kIke500}), K::ike, ike},
      {"null ipv6 of macos", null_loop, joined({{30, 0, 0, 0}, v6}), K::ike, ike},
      {"sll", sll, wire::sll(0, 0x0800, kIke500), K::ike, ike},
      {"sll with a tag", sll, wire::sll(4, 0x8100, tagged(0x0800, kIke500)), K::ike, ike},
      {"sll2", sll2, wire::sll2(4, 0x86dd, v6), K::ike, ike},
      {"marker on 4500", raw_ip, ipv4({}, udp(4500, 4500, kMarked)), K::ike, ike},
      {"marker, translated port", raw_ip, ipv4({}, udp(31999, 4500, kMarked)), K::ike, ike},
      {"no marker between 500 and 4500", raw_ip, ipv4({}, udp(500, 4500, isakmp())), K::ike, ike},
      {"probe from an ephemeral port", raw_ip, ipv4({}, udp(40000, 500, isakmp())), K::ike, ike},
      {"ip options", raw_ip, ipv4({.options = Buffer(8, 1)}, udp(500, 500, isakmp())), K::ike, ike},
      {"keepalive", raw_ip, ipv4({}, udp(4500, 4500, {0xff})), K::nat_keepalive, 1},
      {"esp in udp", raw_ip, ipv4({}, udp(4500, 4500, esp(0x1000, 7))), K::esp_in_udp, 40},
      {"esp in udp of an isakmp shape", raw_ip, ipv4({}, udp(4500, 4500, isakmp())), K::esp_in_udp, ike},
      {"esp", raw_ip, ipv4({.protocol = 50}, esp(0x1000, 7)), K::esp, 40},
      {"esp over ipv6", raw_ip, ipv6({.next = 50}, esp(0x1000, 7)), K::esp, 40},
      {"esp behind extension headers", raw_ip,
       ipv6({.next = 0}, joined({{60, 0, 0, 0, 0, 0, 0, 0}, {50, 1}, Buffer(14, 0), esp(0x1000, 7)})), K::esp, 40},
      {"ah", raw_ip, ipv4({.protocol = 51}, filler(24 + 40)), K::ah, 64},
      {"ah, header only", raw_ip, ipv4({.protocol = 51}, filler(12)), K::ah, 12},
      {"ah over ipv6, behind an extension header", raw_ip,
       ipv6({.next = 0}, joined({{51, 0, 0, 0, 0, 0, 0, 0}, filler(64)})), K::ah, 64},
      {"atomic fragment", raw_ip, ipv6({.next = 44}, ipv6_fragment(17, 0, false, 9, udp(500, 500, isakmp()))), K::ike,
       ike},
      {"icmp error", raw_ip, ipv4({.protocol = 1}, error4), K::icmp_error, kIke500.size()},
      {"icmp error with extensions", raw_ip,
       ipv4({.protocol = 1}, icmp(11, 0, 24U << 16, joined({kIke500, Buffer(96 - kIke500.size(), 0), filler(12)}))),
       K::icmp_error, 96},
      {"icmp6 error", raw_ip, ipv6({.next = 58}, icmp(1, 1, 0, v6)), K::icmp_error, v6.size()},
      {"icmp echo", raw_ip, ipv4({.protocol = 1}, icmp(8, 0, 1, filler(56))), K::icmp_echo, 64},
      {"icmp6 echo", raw_ip, ipv6({.next = 58}, icmp(129, 0, 1, filler(56))), K::icmp_echo, 64},
      {"first fragment", raw_ip, ipv4_piece({}, udp(500, 500, isakmp(200)), 0, 80), K::fragment, 80},
      {"later fragment", raw_ip, ipv4_piece({}, udp(500, 500, isakmp(200)), 80, 80), K::fragment, 80},
      {"ipv6 fragment", raw_ip, ipv6({.next = 44}, ipv6_fragment(17, 1232, false, 9, filler(33))), K::fragment, 33},
      {"esp fragment", raw_ip, ipv4_piece({.protocol = 50}, esp(0x1000, 7, 200), 80, 128), K::fragment, 128},
      {"empty udp on 500", raw_ip, ipv4({}, udp(500, 500, {})), K::ike, 0},
  };
}

TEST(Frame, KindsOverEveryLinkType) {
  for (const Row& row : good_frames()) {
    SCOPED_TRACE(row.name);
    const auto d = decode_frame(row.link, row.frame, static_cast<std::uint32_t>(row.frame.size()));
    ASSERT_TRUE(d) << to_string(d.error());
    EXPECT_EQ(d->kind, row.kind);
    EXPECT_EQ(d->payload.size(), row.payload);
    EXPECT_FALSE(d->cut);
    EXPECT_EQ(d->ttl, 61);
    EXPECT_EQ(d->source, address(d->source.is_v4() ? "192.0.2.10" : "2001:db8:a::10"));
    EXPECT_EQ(d->destination, address(d->source.is_v4() ? "198.51.100.20" : "2001:db8:b::20"));
    if (d->kind == DatagramKind::ike && row.payload != 0) {
      EXPECT_EQ(d->payload[0], 0x11);
    }
  }
}

TEST(Frame, EveryPrefixIsAnError) {
  for (const Row& row : good_frames()) {
    for (std::size_t n = 0; n < row.frame.size(); ++n) {
      SCOPED_TRACE(row.name + " cut to " + std::to_string(n));
      const Buffer prefix(row.frame.begin(), row.frame.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(decode_frame(row.link, prefix, static_cast<std::uint32_t>(n)));
    }
  }
}

TEST(Frame, SnapLengthCutsThePayloadOnly) {
  for (const Row& row : good_frames()) {
    for (std::size_t n = 0; n < row.frame.size(); ++n) {
      SCOPED_TRACE(row.name + " snapped to " + std::to_string(n));
      const Buffer prefix(row.frame.begin(), row.frame.begin() + static_cast<std::ptrdiff_t>(n));
      const auto d = decode_frame(row.link, prefix, static_cast<std::uint32_t>(row.frame.size()));
      if (!d) {
        EXPECT_EQ(d.error(), ParseError::truncated);
      } else {
        EXPECT_TRUE(d->cut);
        EXPECT_LE(d->payload.size(), row.payload);
      }
    }
  }
}

TEST(Frame, SnappedEspStillTellsItsSequence) {
  const Buffer whole = test::ethernet(ipv4({.protocol = 50}, esp(0xc0ffee00, 77, 1400)));
  const auto d =
      decode_frame(LinkType::ethernet, Bytes(whole).first(14 + 20 + 8), static_cast<std::uint32_t>(whole.size()));
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, DatagramKind::esp);
  EXPECT_EQ(d->wire_length, 20U + 8 + 1400);
  const auto header = read_esp_header(d->payload);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->spi, 0xc0ffee00);
  EXPECT_EQ(header->sequence, 77U);
}

TEST(Frame, EthernetPaddingIsNotPayload) {
  const Buffer frame = joined({test::ethernet(ipv4({}, udp(4500, 4500, {0xff}))), Buffer(17, 0)});
  const auto d = decode_frame(LinkType::ethernet, frame, static_cast<std::uint32_t>(frame.size()));
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, DatagramKind::nat_keepalive);
  EXPECT_EQ(d->wire_length, 29U);
}

TEST(Frame, SegmentationOffloadLeavesLengthZero) {
  Buffer packet = ipv4({.protocol = 50}, esp(0x1000, 7, 3000));
  packet[2] = packet[3] = 0;
  const auto d = decode_frame(LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()));
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, DatagramKind::esp);
  EXPECT_EQ(d->payload.size(), 3008U);
}

TEST(Frame, CookedHeadersTellTheDirection) {
  const auto direction = [](LinkType link, const Buffer& frame) {
    return decode_frame(link, frame, static_cast<std::uint32_t>(frame.size()))->link_direction;
  };
  EXPECT_EQ(direction(LinkType::sll, sll(0, 0x0800, kIke500)), LinkDirection::in);
  EXPECT_EQ(direction(LinkType::sll, sll(4, 0x0800, kIke500)), LinkDirection::out);
  EXPECT_EQ(direction(LinkType::sll, sll(3, 0x0800, kIke500)), LinkDirection::unknown);
  EXPECT_EQ(direction(LinkType::sll2, sll2(0, 0x0800, kIke500)), LinkDirection::in);
  EXPECT_EQ(direction(LinkType::sll2, sll2(4, 0x0800, kIke500)), LinkDirection::out);
  EXPECT_EQ(direction(LinkType::ethernet, test::ethernet(kIke500)), LinkDirection::unknown);
}

TEST(Frame, NothingOfOursIsOther) {
  const std::vector<std::pair<std::string, Buffer>> rows{
      {"arp", test::ethernet(0x0806, Buffer(28, 1))},
      {"802.3", test::ethernet(38, Buffer(46, 1))},
      {"tcp", test::ethernet(ipv4({.protocol = 6}, Buffer(20, 1)))},
      {"dns", test::ethernet(ipv4({}, udp(40000, 53, filler(30))))},
      {"tcp fragment", test::ethernet(ipv4_piece({.protocol = 6}, filler(200), 80, 80))},
      {"router advertisement", test::ethernet(ipv6({.next = 58}, icmp(134, 0, 0, filler(16))))},
      {"icmp in ipv6", test::ethernet(ipv6({.next = 1}, icmp(3, 3, 0, kIke500)))},
      {"no next header", test::ethernet(ipv6({.next = 59}, {}))},
  };
  for (const auto& [name, frame] : rows) {
    SCOPED_TRACE(name);
    const auto d = decode_frame(LinkType::ethernet, frame, static_cast<std::uint32_t>(frame.size()));
    ASSERT_TRUE(d) << to_string(d.error());
    EXPECT_EQ(d->kind, DatagramKind::other);
  }
}

Buffer changed(Buffer b, std::size_t at, std::uint8_t value) {
  b[at] = value;
  return b;
}

TEST(Frame, LiesAreNamed) {
  Buffer deep;
  for (int i = 0; i < 9; ++i) put(deep, Buffer{60, 0, 0, 0, 0, 0, 0, 0});
  const std::vector<std::tuple<std::string, LinkType, Buffer, ParseError>> rows{
      {"unknown link", LinkType::unsupported, kIke500, ParseError::unsupported},
      {"raw version 5", LinkType::raw_ip, changed(kIke500, 0, 0x55), ParseError::bad_version},
      {"version 6 under 0800", LinkType::ethernet, test::ethernet(0x0800, ipv6({}, Buffer(30, 0))),
       ParseError::bad_version},
      {"header length 4 words", LinkType::raw_ip, changed(kIke500, 0, 0x44), ParseError::bad_header_length},
      {"header beyond the packet", LinkType::raw_ip, changed(ipv4({}, Buffer(8, 1)), 0, 0x4f),
       ParseError::bad_header_length},
      {"total beyond the frame", LinkType::raw_ip, changed(kIke500, 2, 0x20), ParseError::truncated},
      {"udp beyond the packet", LinkType::raw_ip, changed(kIke500, 24, 0x20), ParseError::bad_length},
      {"udp length 7", LinkType::raw_ip, changed(changed(kIke500, 24, 0), 25, 7), ParseError::bad_length},
      {"five tags", LinkType::ethernet,
       test::ethernet(0x8100, tagged(0x8100, tagged(0x8100, tagged(0x8100, tagged(0x8100, tagged(0x0800, kIke500)))))),
       ParseError::too_many},
      {"nine extension headers", LinkType::raw_ip, ipv6({.next = 60}, deep), ParseError::too_many},
      {"esp of 7 bytes", LinkType::raw_ip, ipv4({.protocol = 50}, Buffer(7, 1)), ParseError::bad_length},
      {"ah of 11 bytes", LinkType::raw_ip, ipv4({.protocol = 51}, filler(11)), ParseError::bad_length},
      {"udp of 7 bytes", LinkType::raw_ip, ipv4({}, Buffer(7, 1)), ParseError::bad_length},
      {"fragment of 81 bytes before another", LinkType::raw_ip, ipv4({.fragment_word = 0x2000}, filler(81)),
       ParseError::bad_length},
      {"fragment beyond 65535", LinkType::raw_ip, ipv4({.fragment_word = 0x1fff}, filler(80)), ParseError::bad_length},
      {"4500 with 5 bytes", LinkType::raw_ip, ipv4({}, udp(4500, 4500, filler(5))), ParseError::truncated},
  };
  for (const auto& [name, link, frame, error] : rows) {
    SCOPED_TRACE(name);
    const auto d = decode_frame(link, frame, static_cast<std::uint32_t>(frame.size()));
    ASSERT_FALSE(d);
    EXPECT_EQ(d.error(), error) << to_string(d.error());
  }
}

TEST(Frame, FragmentFields) {
  const Buffer frame = ipv4_piece({.id = 0xbeef}, udp(500, 4500, isakmp(200)), 0, 80);
  const auto first = decode_frame(LinkType::raw_ip, frame, static_cast<std::uint32_t>(frame.size()));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fragment_id, 0xbeefU);
  EXPECT_TRUE(first->more_fragments);
  EXPECT_EQ(first->source_port, 500);
  EXPECT_EQ(first->destination_port, 4500);
  const Buffer last = ipv6({.next = 44}, ipv6_fragment(17, 1232, false, 0xcafef00d, filler(33)));
  const auto second = decode_frame(LinkType::raw_ip, last, static_cast<std::uint32_t>(last.size()));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->fragment_offset, 1232);
  EXPECT_EQ(second->fragment_id, 0xcafef00d);
  EXPECT_FALSE(second->more_fragments);
  EXPECT_EQ(second->source_port, 0);
}

TEST(Frame, NextHopMtu) {
  const Buffer v4 = ipv4({.protocol = 1}, icmp(3, 4, 1400, kIke500));
  EXPECT_EQ(decode_frame(LinkType::raw_ip, v4, static_cast<std::uint32_t>(v4.size()))->next_hop_mtu, 1400);
  const Buffer v6 = ipv6({.next = 58}, icmp(2, 0, 1280, ipv6({}, udp(500, 500, isakmp()))));
  EXPECT_EQ(decode_frame(LinkType::raw_ip, v6, static_cast<std::uint32_t>(v6.size()))->next_hop_mtu, 1280);
}

TEST(Quoted, EveryLengthFromTheHeadersOn) {
  struct QuoteRow {
    std::string name;
    Buffer packet;
    std::size_t needed;
    DatagramKind whole;
  };
  const std::vector<QuoteRow> rows{
      {"ike", kIke500, 28, DatagramKind::ike},
      {"ike over ipv6", ipv6({}, udp(500, 500, isakmp())), 48, DatagramKind::ike},
      {"esp", ipv4({.protocol = 50}, esp(0x1000, 7)), 20, DatagramKind::esp},
      {"esp in udp", ipv4({}, udp(4500, 4500, esp(0x1000, 7))), 28, DatagramKind::esp_in_udp},
      {"keepalive", ipv4({}, udp(4500, 4500, {0xff})), 28, DatagramKind::nat_keepalive},
      {"first fragment of ike", ipv4_piece({}, udp(500, 500, isakmp(400)), 0, 160), 28, DatagramKind::ike},
      {"first fragment of esp", ipv4_piece({.protocol = 50}, esp(0x1000, 7, 400), 0, 160), 20, DatagramKind::esp},
  };
  for (const QuoteRow& row : rows) {
    for (std::size_t n = 0; n <= row.packet.size(); ++n) {
      SCOPED_TRACE(row.name + " quoted to " + std::to_string(n));
      const auto d = decode_quoted(Bytes(row.packet).first(n));
      ASSERT_EQ(d.has_value(), n >= row.needed);
      if (!d) continue;
      EXPECT_EQ(d->kind, row.whole);
      EXPECT_LE(d->payload.size(), n);
    }
  }
}

TEST(Quoted, TooShortToTellIkeFromEspIsEspInUdp) {
  const Buffer packet = ipv4({}, udp(4500, 4500, kMarked));
  EXPECT_EQ(decode_quoted(Bytes(packet).first(28))->kind, DatagramKind::esp_in_udp);
  EXPECT_EQ(decode_quoted(Bytes(packet).first(32))->kind, DatagramKind::ike);
}

// Whatever a stranger sends: an answer, and views that lie within the input.
TEST(Frame, MutationsStayInBounds) {
  std::mt19937 random(20240521);
  const auto rows = good_frames();
  for (int round = 0; round < 60'000; ++round) {
    const Row& row = rows[random() % rows.size()];
    Buffer frame = row.frame;
    for (auto flips = 1 + random() % 6; flips > 0; --flips) {
      frame[random() % std::min<std::size_t>(frame.size(), 90)] = static_cast<std::uint8_t>(random());
    }
    frame.resize(random() % (frame.size() + 1));
    const Buffer exact(frame);  // a heap block of just this size, for AddressSanitizer
    const auto d =
        decode_frame(row.link, exact, static_cast<std::uint32_t>(random() % 2 == 0 ? exact.size() : random() % 70000));
    if (!d || d->payload.empty()) continue;
    ASSERT_GE(d->payload.data(), exact.data());
    ASSERT_LE(d->payload.data() + d->payload.size(), exact.data() + exact.size());
    if (d->kind == DatagramKind::icmp_error) (void)decode_quoted(d->payload);
    if (d->kind == DatagramKind::fragment) (void)decode_first_fragment(*d);
  }
}

// Compares the shortcut with the decoder. True when the shortcut answered.
bool glance_agrees(LinkType link, const Buffer& frame, std::uint32_t wire_length) {
  const auto glance = glance_at_esp(link, frame, wire_length);
  if (!glance) return false;
  const auto d = decode_frame(link, frame, wire_length);
  if (!d) {
    ADD_FAILURE() << "the decoder refuses it: " << to_string(d.error());
    return true;
  }
  const auto header = read_esp_header(d->payload);
  if (!header) {
    ADD_FAILURE() << "the decoder sees no ESP";
    return true;
  }
  EXPECT_EQ(d->kind, glance->in_udp ? DatagramKind::esp_in_udp : DatagramKind::esp);
  EXPECT_EQ(header->spi, glance->spi);
  EXPECT_EQ(header->sequence, glance->sequence);
  EXPECT_EQ(d->wire_length, glance->wire_length);
  EXPECT_EQ(d->source_port, glance->source_port);
  EXPECT_EQ(d->destination_port, glance->destination_port);
  EXPECT_EQ(std::memcmp(&glance->source, d->source.bytes().data(), 4), 0);
  EXPECT_EQ(std::memcmp(&glance->destination, d->destination.bytes().data(), 4), 0);
  return true;
}

TEST(EspGlance, SaysWhatTheDecoderSays) {
  std::mt19937 random(4500);
  auto rows = good_frames();
  rows.push_back(
      {"esp over ethernet", LinkType::ethernet, test::ethernet(ipv4({.protocol = 50}, esp(0x1000, 7))), {}, 0});
  rows.push_back({"esp in udp over ethernet",
                  LinkType::ethernet,
                  test::ethernet(ipv4({}, udp(31999, 4500, esp(0x1000, 7)))),
                  {},
                  0});
  int answered = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    for (std::size_t n = 0; n <= row.frame.size(); ++n) {
      const Buffer prefix(row.frame.begin(), row.frame.begin() + static_cast<std::ptrdiff_t>(n));
      answered += glance_agrees(row.link, prefix, static_cast<std::uint32_t>(row.frame.size())) ? 1 : 0;
      answered += glance_agrees(row.link, prefix, static_cast<std::uint32_t>(n)) ? 1 : 0;
    }
    for (int round = 0; round < 3000; ++round) {
      Buffer frame = row.frame;
      for (auto flips = 1 + random() % 3; flips > 0; --flips) {
        frame[random() % std::min<std::size_t>(frame.size(), 56)] = static_cast<std::uint8_t>(random());
      }
      answered += glance_agrees(row.link, frame, static_cast<std::uint32_t>(frame.size())) ? 1 : 0;
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(answered, 1000);
}

TEST(Link, TypesOfDlts) {
  EXPECT_EQ(link_type_of(1), LinkType::ethernet);
  EXPECT_EQ(link_type_of(12), LinkType::raw_ip);
  EXPECT_EQ(link_type_of(101), LinkType::raw_ip);
  EXPECT_EQ(link_type_of(228), LinkType::raw_ip);
  EXPECT_EQ(link_type_of(0), LinkType::null_loop);
  EXPECT_EQ(link_type_of(108), LinkType::null_loop);
  EXPECT_EQ(link_type_of(113), LinkType::sll);
  EXPECT_EQ(link_type_of(276), LinkType::sll2);
  EXPECT_EQ(link_type_of(9), LinkType::ppp);
  EXPECT_EQ(link_type_of(50), LinkType::ppp);
  EXPECT_EQ(link_type_of(127), LinkType::unsupported);
}

}  // namespace
}  // namespace tunnelwatch::wire
