#include "probes/wire/link.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr std::uint16_t kEtherTypePppoeSession = 0x8864;
constexpr std::uint16_t kEtherTypeMpls = 0x8847;
constexpr int kMaxTags = 4;  // two are usual; a longer stack is a fault or an attack

constexpr bool is_vlan_tag(std::uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

constexpr std::uint32_t swapped(std::uint32_t v) {
  return v >> 24 | (v >> 8 & 0xff00U) | (v << 8 & 0xff0000U) | v << 24;
}

// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 and 30 on the BSDs and macOS.
constexpr std::uint8_t version_of_family(std::uint32_t family) {
  if (family == 2) return 4;
  return family == 10 || family == 24 || family == 28 || family == 30 ? 6 : 0;
}

constexpr std::uint8_t version_of_ppp(std::uint32_t protocol) {
  return protocol == 0x0021 ? 4 : protocol == 0x0057 ? 6 : 0;
}

// RFC 1662: address and control where they are not left out, then the protocol, of which an odd first byte is all.
Parsed<LinkPayload> parse_ppp(ByteReader& r, LinkPayload payload) noexcept {
  std::uint32_t protocol = r.u8();
  if (protocol == 0xff) {
    r.skip(1);
    protocol = r.u8();
  }
  if ((protocol & 1U) == 0) protocol = protocol << 8 | r.u8();
  if (r.failed()) return ParseError::truncated;
  payload.ip_version = version_of_ppp(protocol);
  return payload;
}

// RFC 2516 section 4: version and type, code, session, length, then the PPP protocol.
Parsed<LinkPayload> parse_pppoe(ByteReader& r, LinkPayload payload) noexcept {
  r.skip(6);
  const std::uint16_t protocol = r.u16();
  if (r.failed()) return ParseError::truncated;
  payload.ip_version = version_of_ppp(protocol);
  return payload;
}

// RFC 3032: labels of four bytes, the last one marked; what is behind them has no type, only its own first bits.
Parsed<LinkPayload> parse_mpls(ByteReader& r, LinkPayload payload) noexcept {
  for (int labels = 0;; ++labels) {
    if (labels == kMaxTags) return ParseError::too_many;
    const std::uint32_t label = r.u32();
    if (r.failed()) return ParseError::truncated;
    if ((label & 0x100U) != 0) break;
  }
  ByteReader inside = r;
  const unsigned version = inside.u8() >> 4;
  if (inside.failed()) return ParseError::truncated;
  payload.ip_version = version == 4 || version == 6 ? static_cast<std::uint8_t>(version) : std::uint8_t{0};
  return payload;
}

// Follows the EtherType just read through tags to the network layer.
Parsed<LinkPayload> parse_ether_type(std::uint16_t ether_type, ByteReader& r, LinkPayload payload) noexcept {
  for (int tags = 0; is_vlan_tag(ether_type); ++tags) {
    if (tags == kMaxTags) return ParseError::too_many;
    r.skip(2);
    ether_type = r.u16();
  }
  if (r.failed()) return ParseError::truncated;
  if (ether_type == kEtherTypePppoeSession) return parse_pppoe(r, payload);
  if (ether_type == kEtherTypeMpls) return parse_mpls(r, payload);
  payload.ip_version = ether_type == kEtherTypeIpv4 ? 4 : ether_type == kEtherTypeIpv6 ? 6 : 0;
  return payload;
}

// The packet types of a cooked header: to us, broadcast, multicast, to another host (seen in promiscuous mode), from
// us.
constexpr LinkDirection direction_of(unsigned packet_type) {
  if (packet_type == 4) return LinkDirection::out;
  return packet_type <= 2 ? LinkDirection::in : LinkDirection::unknown;
}

Parsed<LinkPayload> parse_header(LinkType type, ByteReader& r, Bytes frame) noexcept {
  LinkPayload payload;
  switch (type) {
    case LinkType::ethernet: {
      r.skip(12);
      const std::uint16_t ether_type = r.u16();
      return parse_ether_type(ether_type, r, payload);
    }
    case LinkType::raw_ip: {
      if (frame.empty()) return ParseError::truncated;
      const auto version = static_cast<std::uint8_t>(frame[0] >> 4);
      if (version != 4 && version != 6) return ParseError::bad_version;
      payload.ip_version = version;
      return payload;
    }
    case LinkType::null_loop: {
      const std::uint32_t family = r.u32();
      if (r.failed()) return ParseError::truncated;
      payload.ip_version = version_of_family(family <= 0xffff ? family : swapped(family));
      return payload;
    }
    case LinkType::sll: {  // packet type, ARPHRD, address length, address (8), protocol
      payload.direction = direction_of(r.u16());
      r.skip(12);
      const std::uint16_t ether_type = r.u16();
      return parse_ether_type(ether_type, r, payload);
    }
    case LinkType::sll2: {  // protocol, reserved, interface (4), ARPHRD, packet type (1), address length (1), address
                            // (8)
      const std::uint16_t ether_type = r.u16();
      r.skip(8);
      payload.direction = direction_of(r.u8());
      r.skip(9);
      return parse_ether_type(ether_type, r, payload);
    }
    case LinkType::ppp:
      return parse_ppp(r, payload);
    case LinkType::unsupported:
      break;
  }
  return ParseError::unsupported;
}

}  // namespace

LinkType link_type_of(int dlt) noexcept {
  switch (dlt) {
    case 1:
      return LinkType::ethernet;
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return LinkType::raw_ip;
    case 0:
    case 108:
      return LinkType::null_loop;
    case 9:
    case 50:
      return LinkType::ppp;
    case 113:
      return LinkType::sll;
    case 276:
      return LinkType::sll2;
    default:
      return LinkType::unsupported;
  }
}

Parsed<LinkPayload> parse_link(LinkType type, Bytes frame, std::uint32_t wire_length) noexcept {
  // The usual frame of a gateway, without the general walk: this runs for every ESP packet.
  if (type == LinkType::ethernet && frame.size() >= 34 && frame[12] == 0x08 && frame[13] == 0x00) {
    return LinkPayload{frame.subspan(14), std::max(wire_length, static_cast<std::uint32_t>(frame.size())) - 14, 4,
                       LinkDirection::unknown};
  }
  ByteReader r(frame);
  auto payload = parse_header(type, r, frame);
  if (!payload) return payload;
  const auto captured = static_cast<std::uint32_t>(frame.size());
  payload->wire_length = std::max(wire_length, captured) - static_cast<std::uint32_t>(r.position());
  payload->packet = r.rest();
  return payload;
}

}  // namespace tunnelwatch::wire
