#include "probes/wire/udp.h"

#include "probes/wire/esp.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kUdpHeaderSize = 8;
constexpr std::size_t kMarkerSize = 4;
constexpr std::size_t kIsakmpHeaderSize = 28;

constexpr std::uint16_t be16(Bytes b, std::size_t at) { return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]); }

// A message between 500 and 4500 in the middle of the move to 4500: some stacks send it without the marker. ESP would
// need its ciphertext to hold a version and the very length of the datagram in these places.
bool looks_like_isakmp(Bytes payload, std::uint32_t length) {
  if (payload.size() < kIsakmpHeaderSize || (payload[17] >> 4 != 1 && payload[17] >> 4 != 2)) return false;
  return be16(payload, 24) == 0 && be16(payload, 26) == length;
}

std::optional<ParseError> classify_behind_4500(Datagram& d, std::uint32_t length, Extent extent) noexcept {
  const bool marked = d.payload.size() >= kMarkerSize && std::all_of(d.payload.begin(), d.payload.begin() + kMarkerSize,
                                                                     [](std::uint8_t byte) { return byte == 0; });
  const bool mixed_ports = d.source_port == kIkePort || d.destination_port == kIkePort;
  if (marked) {
    d.payload = d.payload.subspan(kMarkerSize);
    d.kind = DatagramKind::ike;
  } else if (mixed_ports && looks_like_isakmp(d.payload, length)) {
    d.kind = DatagramKind::ike;
  } else if (length == 1 && (d.payload.empty() || d.payload[0] == 0xff)) {
    if (d.payload.empty() && extent == Extent::whole) return ParseError::truncated;
    d.kind = DatagramKind::nat_keepalive;
  } else {
    if (d.payload.size() < kEspHeaderSize && extent == Extent::whole) return ParseError::truncated;
    d.kind = DatagramKind::esp_in_udp;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ParseError> parse_udp(Datagram& d, std::uint32_t wire_length, Extent extent) noexcept {
  if (d.payload.size() < kUdpHeaderSize) return d.cut ? ParseError::truncated : ParseError::bad_length;
  d.source_port = be16(d.payload, 0);
  d.destination_port = be16(d.payload, 2);
  if (!is_ike_port(d.source_port) && !is_ike_port(d.destination_port)) return std::nullopt;
  const std::uint32_t udp_length = be16(d.payload, 4);
  if (udp_length < kUdpHeaderSize) return ParseError::bad_length;
  if (udp_length > wire_length && extent == Extent::whole) return ParseError::bad_length;

  const std::uint32_t length = udp_length - static_cast<std::uint32_t>(kUdpHeaderSize);
  d.payload = d.payload.subspan(kUdpHeaderSize, std::min<std::size_t>(d.payload.size() - kUdpHeaderSize, length));
  d.cut = d.payload.size() < length;
  if (d.source_port == kNatTraversalPort || d.destination_port == kNatTraversalPort) {
    return classify_behind_4500(d, length, extent);
  }
  d.kind = DatagramKind::ike;
  return std::nullopt;
}

}  // namespace tunnelwatch::wire
