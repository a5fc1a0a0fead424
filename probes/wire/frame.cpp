#include "probes/wire/frame.h"

#include "probes/wire/esp.h"
#include "probes/wire/icmp.h"
#include "probes/wire/ip.h"
#include "probes/wire/udp.h"

namespace tunnelwatch::wire {

namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kEsp = 50;
constexpr std::uint8_t kAh = 51;
constexpr std::uint8_t kIcmp6 = 58;

constexpr std::size_t kAhHeaderSize = 12;  // RFC 4302 section 2, without the ICV

std::optional<ParseError> parse_transport(Datagram& d, std::uint32_t wire_length, Extent extent) noexcept {
  switch (d.ip_protocol) {
    case kEsp:
      if (d.payload.size() < kEspHeaderSize && extent == Extent::whole) {
        return d.cut ? ParseError::truncated : ParseError::bad_length;
      }
      d.kind = DatagramKind::esp;
      return std::nullopt;
    case kAh:
      if (d.payload.size() < kAhHeaderSize && extent == Extent::whole) {
        return d.cut ? ParseError::truncated : ParseError::bad_length;
      }
      d.kind = DatagramKind::ah;
      return std::nullopt;
    case kUdp:
      return parse_udp(d, wire_length, extent);
    case kIcmp:
      return d.source.is_v4() ? parse_icmp(d) : std::nullopt;
    case kIcmp6:
      return d.source.is_v4() ? std::nullopt : parse_icmp(d);
    default:
      return std::nullopt;
  }
}

void parse_fragment(Datagram& d) noexcept {
  if (d.ip_protocol != kUdp && d.ip_protocol != kEsp) return;
  d.kind = DatagramKind::fragment;
  if (d.ip_protocol != kUdp || d.fragment_offset != 0) return;
  ByteReader r(d.payload);
  d.source_port = r.u16();
  d.destination_port = r.u16();
}

std::optional<ParseError> decode_into(Datagram& d, LinkType type, Bytes frame, std::uint32_t wire_length) noexcept {
  const auto link = parse_link(type, frame, wire_length);
  if (!link) return link.error();
  d.link_direction = link->direction;
  d.wire_length = link->wire_length;
  if (link->ip_version == 0) return std::nullopt;
  const auto ip = parse_ip(link->ip_version, link->packet, link->wire_length, Extent::whole, d);
  if (!ip) return ip.error();
  if (!ip->fragment) return parse_transport(d, ip->wire_length, Extent::whole);
  parse_fragment(d);
  return std::nullopt;
}

}  // namespace

Parsed<Datagram> decode_frame(LinkType type, Bytes frame, std::uint32_t wire_length) noexcept {
  Parsed<Datagram> result{boost::system::in_place_value};  // filled in place: a copy costs as much as the decoding
  if (const auto error = decode_into(*result, type, frame, wire_length)) result = *error;
  return result;
}

Parsed<Datagram> decode_quoted(Bytes ip_packet) noexcept {
  if (ip_packet.empty()) return ParseError::truncated;
  const auto version = static_cast<std::uint8_t>(ip_packet[0] >> 4);
  if (version != 4 && version != 6) return ParseError::bad_version;
  Datagram d;
  const auto ip = parse_ip(version, ip_packet, static_cast<std::uint32_t>(ip_packet.size()), Extent::partial, d);
  if (!ip) return ip.error();
  if (ip->fragment && d.fragment_offset != 0) {
    parse_fragment(d);
    return d;
  }
  if (const auto error = parse_transport(d, ip->wire_length, Extent::partial)) return *error;
  return d;
}

Parsed<Datagram> decode_first_fragment(const Datagram& first) noexcept {
  Datagram d = first;
  d.kind = DatagramKind::other;
  const auto length = static_cast<std::uint32_t>(d.payload.size());
  if (const auto error = parse_transport(d, length, Extent::partial)) return *error;
  return d;
}

Parsed<Datagram> decode_reassembled(const Datagram& first, Bytes ip_payload) noexcept {
  Datagram d = first;
  d.kind = DatagramKind::other;
  d.more_fragments = false;
  d.cut = false;
  d.payload = ip_payload;
  const std::uint32_t header = first.wire_length - static_cast<std::uint32_t>(first.payload.size());
  d.wire_length = header + static_cast<std::uint32_t>(ip_payload.size());
  if (const auto error = parse_transport(d, static_cast<std::uint32_t>(ip_payload.size()), Extent::whole))
    return *error;
  return d;
}

}  // namespace tunnelwatch::wire
