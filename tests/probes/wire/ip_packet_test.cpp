#include "probes/wire/ip_packet.h"

#include "probes/wire/frame.h"
#include "probes/wire/pcap.h"
#include "tests/probes/wire/frame_builder.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using namespace test;

// The sum over everything, checksum and pseudo header included, is all ones where the checksum is right (RFC 1071).
std::uint32_t ones_sum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

Buffer pseudo_header(const Datagram& d, std::uint8_t protocol, std::size_t length) {
  Buffer b;
  put(b, d.source.bytes());
  put(b, d.destination.bytes());
  put32(b, static_cast<std::uint32_t>(length));
  put32(b, protocol);
  return b;
}

struct Row {
  std::string name;
  Buffer frame;
};

std::vector<Row> rows() {
  const Buffer marked = joined({Buffer(4, 0), isakmp()});
  const Buffer quoted = ipv4({}, udp(500, 500, isakmp(4)));
  return {
      {"500", ipv4({}, udp(500, 500, isakmp()))},
      {"4500", ipv4({.ttl = 64}, udp(4500, 4500, marked))},
      {"behind NAT", ipv4({}, udp(4500, 61234, marked))},
      {"odd length", ipv4({}, udp(500, 500, isakmp(13)))},
      {"empty", ipv4({}, udp(500, 500, {}))},
      {"IPv6", ipv6({}, udp(500, 500, isakmp()))},
      {"IPv6 4500", ipv6({}, udp(4500, 4500, marked))},
      {"port unreachable", ipv4({.protocol = 1}, icmp(3, 3, 0, quoted))},
      {"fragmentation needed", ipv4({.protocol = 1}, icmp(3, 4, 1400, quoted))},
      {"IPv6 too big", ipv6({.next = 58}, icmp(2, 0, 1280, ipv6({}, udp(500, 500, isakmp(3)))))},
  };
}

TEST(IpPacket, DecodesToTheSameDatagram) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    const auto length = static_cast<std::uint32_t>(row.frame.size());
    const auto d = decode_frame(LinkType::raw_ip, row.frame, length);
    ASSERT_TRUE(d);
    const IpPacket packet = ip_packet_of(*d);
    EXPECT_EQ(packet.bytes.size(), row.frame.size());
    EXPECT_EQ(packet.wire_length, length);
    const auto again = decode_frame(LinkType::raw_ip, packet.bytes, packet.wire_length);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind, d->kind);
    EXPECT_EQ(again->source, d->source);
    EXPECT_EQ(again->destination, d->destination);
    EXPECT_EQ(again->source_port, d->source_port);
    EXPECT_EQ(again->destination_port, d->destination_port);
    EXPECT_EQ(again->ttl, d->ttl);
    EXPECT_EQ(again->icmp_type, d->icmp_type);
    EXPECT_EQ(again->icmp_code, d->icmp_code);
    EXPECT_EQ(again->next_hop_mtu, d->next_hop_mtu);
    EXPECT_EQ(Buffer(again->payload.begin(), again->payload.end()), Buffer(d->payload.begin(), d->payload.end()));
  }
}

TEST(IpPacket, ChecksumsAreRight) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    const auto d = decode_frame(LinkType::raw_ip, row.frame, static_cast<std::uint32_t>(row.frame.size()));
    ASSERT_TRUE(d);
    const IpPacket packet = ip_packet_of(*d);
    const bool v4 = d->source.is_v4();
    const std::size_t header = v4 ? 20 : 40;
    if (v4) {
      EXPECT_EQ(ones_sum(Bytes(packet.bytes).first(header)), 0xffffU);
    }
    const std::uint8_t protocol = d->kind == DatagramKind::ike ? 17 : v4 ? 1 : 58;
    Buffer summed = protocol == 1 ? Buffer{} : pseudo_header(*d, protocol, packet.bytes.size() - header);
    put(summed, Bytes(packet.bytes).subspan(header));
    EXPECT_EQ(ones_sum(summed), 0xffffU);
  }
}

TEST(IpPacket, AUdpChecksumOfZeroIsSentAsAllOnes) {
  Datagram d;
  d.kind = DatagramKind::ike;
  d.source = d.destination = address("0.0.0.0");
  d.source_port = d.destination_port = 500;
  // 17 (protocol) + 2 x 500 (ports) + 2 x 10 (lengths) and this word sum up to 0xffff.
  const unsigned word = 0xffffU - 17U - 1000U - 20U;
  const Buffer payload{static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
  d.payload = payload;
  const IpPacket packet = ip_packet_of(d);
  EXPECT_EQ(packet.bytes.at(26) << 8 | packet.bytes.at(27), 0xffff);
}

TEST(IpPacket, ACutPayloadKeepsItsLengthOnTheWire) {
  const Buffer frame = ipv4({}, udp(4500, 4500, joined({Buffer(4, 0), isakmp(400)})));
  const auto d = decode_frame(LinkType::raw_ip, Bytes(frame).first(100), static_cast<std::uint32_t>(frame.size()));
  ASSERT_TRUE(d);
  ASSERT_TRUE(d->cut);
  const IpPacket packet = ip_packet_of(*d);
  EXPECT_EQ(packet.bytes.size(), 100U);
  EXPECT_EQ(packet.wire_length, frame.size());
  const auto again = decode_frame(LinkType::raw_ip, packet.bytes, packet.wire_length);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->cut);
  EXPECT_EQ(again->payload.size(), d->payload.size());
  EXPECT_EQ(packet.bytes.at(26) << 8 | packet.bytes.at(27), 0) << "a checksum of what is not there";
}

TEST(IpPacket, FragmentsComeTogetherAgain) {
  for (const bool v4 : {true, false}) {
    for (const std::size_t body : {0U, 40U, 1400U, 1501U, 6000U, 60'000U}) {
      SCOPED_TRACE(std::to_string(body) + (v4 ? " IPv4" : " IPv6"));
      const Buffer datagram = udp(500, 500, isakmp(body));
      const Buffer frame = v4 ? ipv4({}, datagram) : ipv6({}, datagram);
      const auto d = decode_frame(LinkType::raw_ip, frame, static_cast<std::uint32_t>(frame.size()));
      ASSERT_TRUE(d);
      const auto parts = ip_fragments_of(ip_packet_of(*d), 0x1234);
      ASSERT_GE(parts.size(), 2U);
      Buffer together;
      Datagram first;
      for (const IpPacket& part : parts) {
        EXPECT_LE(part.bytes.size(), 1500U);
        if (v4) {
          EXPECT_EQ(ones_sum(Bytes(part.bytes).first(20)), 0xffffU);
        }
        const auto piece = decode_frame(LinkType::raw_ip, part.bytes, part.wire_length);
        ASSERT_TRUE(piece);
        ASSERT_EQ(piece->kind, DatagramKind::fragment);
        EXPECT_EQ(piece->fragment_id, 0x1234U);
        EXPECT_EQ(piece->fragment_offset, together.size());
        EXPECT_EQ(piece->more_fragments, &part != &parts.back());
        if (together.empty()) first = *piece;
        put(together, piece->payload);
      }
      const auto whole = decode_reassembled(first, together);
      ASSERT_TRUE(whole);
      EXPECT_EQ(Buffer(whole->payload.begin(), whole->payload.end()), isakmp(body));
    }
  }
  IpPacket cut{Buffer(100, 0x45), 5000};
  EXPECT_EQ(ip_fragments_of(cut, 1).size(), 1U) << "where the rest is missing nothing can be told";
  EXPECT_EQ(ip_fragments_of({}, 1).size(), 1U);
}

TEST(IpPacket, NeverExceedsWhatItsHeaderCanTell) {
  const Buffer payload(70'000, 7);
  for (const char* text : {"192.0.2.1", "2001:db8::1"}) {
    Datagram d;
    d.kind = DatagramKind::ike;
    d.source = d.destination = address(text);
    d.source_port = d.destination_port = 4500;
    d.payload = payload;
    const IpPacket packet = ip_packet_of(d);
    EXPECT_EQ(packet.bytes.size(), 65535U);
    const auto again = decode_frame(LinkType::raw_ip, packet.bytes, packet.wire_length);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind, DatagramKind::ike);
    d.cut = true;
    d.wire_length = 4'000'000'000U;
    EXPECT_EQ(ip_packet_of(d).wire_length, 65535U);
  }
}

TEST(IpPacket, OfOtherKindsThereIsNone) {
  Datagram d;
  for (const auto kind : {DatagramKind::esp, DatagramKind::esp_in_udp, DatagramKind::nat_keepalive,
                          DatagramKind::icmp_echo, DatagramKind::fragment, DatagramKind::other}) {
    d.kind = kind;
    EXPECT_TRUE(ip_packet_of(d).bytes.empty());
  }
  d.kind = DatagramKind::ike;
  d.source = address("2001:db8::1");
  EXPECT_TRUE(ip_packet_of(d).bytes.empty()) << "of two families";
}

TEST(Pcap, IsWhatTheFormatSays) {
  Buffer out;
  put_pcap_header(out);
  EXPECT_EQ(out, (Buffer{0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0}));
  ASSERT_EQ(out.size(), kPcapHeaderSize);
  out.clear();
  put_pcap_record(out, WallTime{std::chrono::seconds(0x01020304) + std::chrono::nanoseconds(5)}, Buffer{9, 8}, 300);
  EXPECT_EQ(out, (Buffer{4, 3, 2, 1, 5, 0, 0, 0, 2, 0, 0, 0, 0x2c, 1, 0, 0, 9, 8}));
  out.clear();
  put_pcap_record(out, WallTime{std::chrono::seconds(-5)}, {}, 0);
  EXPECT_EQ(out, Buffer(kPcapRecordHeaderSize, 0)) << "a clock before 1970 has no stamp in this format";
}

}  // namespace
}  // namespace tunnelwatch::wire
