#include "probes/wire/ip.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kIpv4HeaderSize = 20;
constexpr std::size_t kIpv6HeaderSize = 40;
constexpr int kMaxExtensionHeaders = 8;
constexpr std::uint32_t kMaxPacket = 65535;

constexpr std::uint16_t be16(Bytes b, std::size_t at) { return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]); }

constexpr bool is_extension(std::uint8_t next) {
  return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

// Fills the fragment fields and checks RFC 791 and RFC 8200 section 4.5: all but the last carry a multiple of 8 bytes,
// and none reaches beyond the largest packet.
bool set_fragment(Datagram& d, std::uint16_t offset, bool more, std::uint32_t id, std::uint32_t length) noexcept {
  d.fragment_offset = offset;
  d.more_fragments = more;
  d.fragment_id = id;
  return !(more && length % 8 != 0) && length != 0 && offset + length <= kMaxPacket;
}

// The length that the header claims against what is there. A claim of 0 is a packet that the sending host captured
// before its network card cut it in segments (TSO): then the frame's own length holds.
Parsed<std::uint32_t> whole_length(std::uint32_t claimed, std::uint32_t wire_length, std::size_t captured,
                                   Extent extent) noexcept {
  if (claimed > wire_length && extent == Extent::whole) {
    return captured < wire_length ? ParseError::bad_length : ParseError::truncated;
  }
  return claimed;
}

// RFC 791 section 3.1
Parsed<IpPayload> parse_ipv4(Bytes packet, std::uint32_t wire_length, Extent extent, Datagram& d) noexcept {
  if (packet.size() < kIpv4HeaderSize) return ParseError::truncated;
  if (packet[0] >> 4 != 4) return ParseError::bad_version;
  const std::size_t header = (packet[0] & 0x0fU) * 4U;
  if (header < kIpv4HeaderSize) return ParseError::bad_header_length;
  const std::uint16_t claimed = be16(packet, 2);
  const auto total = whole_length(claimed == 0 ? wire_length : claimed, wire_length, packet.size(), extent);
  if (!total) return total.error();
  if (*total < header) return claimed == 0 ? ParseError::truncated : ParseError::bad_header_length;
  if (packet.size() < header) return ParseError::truncated;

  d.ttl = packet[8];
  d.ip_protocol = packet[9];
  d.source = IpAddress::v4(packet.subspan<12, 4>());
  d.destination = IpAddress::v4(packet.subspan<16, 4>());
  d.wire_length = *total;
  const IpPayload payload{*total - static_cast<std::uint32_t>(header), (be16(packet, 6) & 0x3fff) != 0};
  d.payload = packet.subspan(header, std::min<std::size_t>(packet.size() - header, payload.wire_length));
  d.cut = d.payload.size() < payload.wire_length;
  if (payload.fragment) {
    const std::uint16_t word = be16(packet, 6);
    const auto offset = static_cast<std::uint16_t>((word & 0x1fffU) * 8U);
    if (!set_fragment(d, offset, (word & 0x2000U) != 0, be16(packet, 4), payload.wire_length)) {
      return ParseError::bad_length;
    }
  }
  return payload;
}

struct Ipv6Chain {
  std::uint8_t next = 0;
  bool fragment = false;
  std::uint16_t offset = 0;
  bool more = false;
  std::uint32_t id = 0;
};

// RFC 8200 section 4: walks to the first header that is not an extension, or to a fragment header with a real fragment
// (an atomic one, RFC 6946, is a whole packet).
Parsed<Ipv6Chain> walk_extensions(std::uint8_t next, ByteReader& r) noexcept {
  Ipv6Chain chain{.next = next};
  for (int headers = 0; is_extension(chain.next) || chain.next == 44; ++headers) {
    if (headers == kMaxExtensionHeaders) return ParseError::too_many;
    const bool is_fragment = chain.next == 44;
    chain.next = r.u8();
    const std::uint8_t length = r.u8();
    if (!is_fragment) {
      r.skip(6U + length * 8U);
      if (r.failed()) return ParseError::truncated;
      continue;
    }
    const std::uint16_t word = r.u16();
    chain.id = r.u32();
    if (r.failed()) return ParseError::truncated;
    chain.offset = word & 0xfff8U;
    chain.more = (word & 1U) != 0;
    chain.fragment = chain.offset != 0 || chain.more;
    if (chain.fragment) break;
  }
  return chain;
}

// RFC 8200 section 3
Parsed<IpPayload> parse_ipv6(Bytes packet, std::uint32_t wire_length, Extent extent, Datagram& d) noexcept {
  if (packet.size() < kIpv6HeaderSize) return ParseError::truncated;
  if (packet[0] >> 4 != 6) return ParseError::bad_version;
  const std::uint16_t claimed = be16(packet, 4);
  const std::uint32_t claimed_total =
      claimed == 0 ? wire_length : claimed + static_cast<std::uint32_t>(kIpv6HeaderSize);
  const auto total = whole_length(claimed_total, wire_length, packet.size(), extent);
  if (!total) return total.error();

  d.ttl = packet[7];
  d.source = IpAddress::v6(packet.subspan<8, 16>());
  d.destination = IpAddress::v6(packet.subspan<24, 16>());
  d.wire_length = *total;
  ByteReader r(packet.first(std::min<std::size_t>(packet.size(), *total)));
  r.skip(kIpv6HeaderSize);
  const auto chain = walk_extensions(packet[6], r);
  if (!chain) return chain.error();
  d.ip_protocol = chain->next;
  const IpPayload payload{*total - static_cast<std::uint32_t>(r.position()), chain->fragment};
  d.payload = r.rest();
  d.cut = d.payload.size() < payload.wire_length;
  if (payload.fragment && !set_fragment(d, chain->offset, chain->more, chain->id, payload.wire_length)) {
    return ParseError::bad_length;
  }
  return payload;
}

}  // namespace

Parsed<IpPayload> parse_ip(std::uint8_t version, Bytes packet, std::uint32_t wire_length, Extent extent,
                           Datagram& d) noexcept {
  return version == 6 ? parse_ipv6(packet, wire_length, extent, d) : parse_ipv4(packet, wire_length, extent, d);
}

}  // namespace tunnelwatch::wire
