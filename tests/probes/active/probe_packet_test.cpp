#include "probes/active/probe_packet.h"

#include "probes/active/probe_quote.h"
#include "probes/wire/ip.h"

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

std::uint16_t sum_of(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// RFC 768 and RFC 8200 section 8.1, written down the long way.
std::uint32_t pseudo(const ProbeHeader& h, std::size_t length) {
  if (h.protocol == kProtocolIcmp) return 0;
  return std::uint32_t{sum_of(h.from.bytes(), 0)} + sum_of(h.to.bytes(), 0) + h.protocol +
         static_cast<std::uint32_t>(length);
}

TEST(ProbePacket, HeadersAndChecksumsAreRight) {
  for (const bool v4 : {true, false}) {
    for (const std::size_t size : {10U, 11U, 200U, 1471U}) {
      SCOPED_TRACE(std::to_string(v4) + " " + std::to_string(size));
      ProbeHeader h{.from = ip(v4 ? "192.0.2.10" : "2001:db8:a::10"),
                    .to = ip(v4 ? "198.51.100.20" : "2001:db8:b::20"),
                    .ttl = 7,
                    .protocol = kProtocolUdp,
                    .id = 0x1234,
                    .dont_fragment = true};
      std::vector<std::uint8_t> payload(size, 0xa7);
      const auto check = [&](const std::vector<std::uint8_t>& packet, std::size_t head) {
        wire::Datagram d;
        const auto whole = static_cast<std::uint32_t>(packet.size());
        ASSERT_TRUE(wire::parse_ip(v4 ? 4 : 6, packet, whole, wire::Extent::whole, d));
        EXPECT_EQ(d.source, h.from);
        EXPECT_EQ(d.destination, h.to);
        EXPECT_EQ(d.ttl, 7);
        EXPECT_EQ(d.ip_protocol, h.protocol);
        ASSERT_EQ(d.payload.size(), head + size);
        EXPECT_EQ(sum_of(d.payload, pseudo(h, d.payload.size())), 0xffff);
        if (v4) {
          EXPECT_EQ(packet[4] << 8 | packet[5], 0x1234);
        }
        if (v4) {
          EXPECT_EQ(packet[6], 0x40);
        }
      };
      check(udp_datagram(h, 40000, 4500, payload), 8);
      h.protocol = v4 ? kProtocolIcmp : kProtocolIcmp6;
      const auto one = echo_request(h, 0xbeef, 1, 0x1111, payload);
      const auto two = echo_request(h, 0xbeef, 0x8002, 0x1111, payload);
      check(one, 8);
      check(two, 8);
      const auto head = static_cast<std::ptrdiff_t>(ip_header_size(h.from.family()));
      EXPECT_TRUE(std::equal(one.begin() + head, one.begin() + head + 6, two.begin() + head)) << "one flow";
    }
  }
}

TEST(ProbeQuote, ReadsWhatIsQuotedAndRefusesTheRest) {
  const ProbeHeader h{.from = ip("192.0.2.10"), .to = ip("198.51.100.20"), .protocol = kProtocolUdp, .id = 77};
  std::vector<std::uint8_t> message{3, 4, 0, 0, 0, 0, 5, 0x78};  // an MTU of 1400
  const std::vector<std::uint8_t> payload{1, 2, 3, 4, 5};
  const auto packet = udp_datagram(h, 40000, 4500, payload);
  message.insert(message.end(), packet.begin(), packet.end());
  const auto quote = read_probe_quote(message, IpFamily::v4);
  ASSERT_TRUE(quote);
  EXPECT_FALSE(quote->echo_reply);
  EXPECT_EQ(quote->reason, RefusalReason::fragmentation_needed);
  EXPECT_EQ(quote->next_hop_mtu, 1400);
  EXPECT_EQ(quote->to, h.to);
  EXPECT_EQ(quote->ip_id, 77);
  EXPECT_EQ(quote->from_port, 40000);
  EXPECT_EQ(quote->to_port, 4500);
  EXPECT_TRUE(std::equal(quote->data.begin(), quote->data.end(), payload.begin(), payload.end()));
  for (std::size_t length = 0; length < 8 + 20 + 8; ++length) {
    EXPECT_FALSE(read_probe_quote(std::span(message).first(length), IpFamily::v4)) << length;
  }
  message[8 + 9] = 6;  // TCP
  EXPECT_FALSE(read_probe_quote(message, IpFamily::v4));
  message[8 + 9] = kProtocolUdp;
  message[8 + 7] = 1;  // a later fragment
  EXPECT_FALSE(read_probe_quote(message, IpFamily::v4));
  message[8 + 7] = 0;
  message[0] = 5;  // a redirect: the packet went on
  EXPECT_FALSE(read_probe_quote(message, IpFamily::v4));
}

}  // namespace
}  // namespace tunnelwatch::active
