#include "probes/wire/bgp.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kMarkerSize = 16;
constexpr std::uint8_t kVersion = 4;
constexpr int kMaxParameters = 256;
constexpr std::uint8_t kCapabilities = 2;      // RFC 5492 section 4: the optional parameter
constexpr std::uint8_t kExtendedLength = 255;  // RFC 9072 section 2
constexpr std::uint8_t kFourOctetAs = 65;      // RFC 6793 section 3

// Capabilities are code, length, value (RFC 5492 section 4).
std::optional<ParseError> read_capabilities(ByteReader r, BgpOpen& open) noexcept {
  while (r.left() > 0) {
    const std::uint8_t code = r.u8();
    const std::uint8_t length = r.u8();
    ByteReader value = r.sub(length);
    if (r.failed()) return ParseError::bad_payload_length;
    if (code != kFourOctetAs) continue;
    const std::uint32_t as_number = value.u32();
    if (value.failed() || value.left() != 0) return ParseError::bad_payload_length;
    open.as_number = as_number;
    open.four_octets = true;
  }
  return std::nullopt;
}

std::optional<ParseError> read_parameters(ByteReader& r, BgpOpen& open) noexcept {
  std::size_t length = r.u8();
  bool extended = false;
  if (length == kExtendedLength) {  // a type of 255 says that the real length follows
    ByteReader ahead = r;
    if (ahead.u8() == kExtendedLength && !ahead.failed()) {
      extended = true;
      r.skip(1);
      length = r.u16();
    }
  }
  if (r.failed() || length != r.left()) return ParseError::bad_length;
  for (int parameters = 0; r.left() > 0; ++parameters) {
    if (parameters == kMaxParameters) return ParseError::too_many;
    const std::uint8_t type = r.u8();
    const std::size_t size = extended ? r.u16() : r.u8();
    const ByteReader value = r.sub(size);
    if (r.failed()) return ParseError::bad_length;
    if (type != kCapabilities) continue;
    if (const auto error = read_capabilities(value, open)) return error;
  }
  return std::nullopt;
}

}  // namespace

Parsed<BgpHeader> parse_bgp_header(Bytes bytes) noexcept {
  if (bytes.size() < kBgpHeaderSize) return ParseError::truncated;
  const Bytes marker = bytes.first(kMarkerSize);
  if (!std::all_of(marker.begin(), marker.end(), [](std::uint8_t b) { return b == 0xff; })) {
    return ParseError::unsupported;
  }
  ByteReader r(bytes.subspan(kMarkerSize));
  BgpHeader header;
  header.length = r.u16();
  const std::uint8_t type = r.u8();
  if (type < 1 || type > 5) return ParseError::bad_version;
  header.type = static_cast<BgpType>(type);
  constexpr std::size_t kShortest[] = {29, 23, 21, 19, 23};  // by type, from 1
  if (header.length < kShortest[type - 1] || header.length > kBgpMaxMessage) return ParseError::bad_length;
  if (header.type == BgpType::keepalive && header.length != kBgpHeaderSize) return ParseError::bad_length;
  return header;
}

Parsed<BgpOpen> parse_bgp_open(Bytes message) noexcept {
  ByteReader r(message);
  r.skip(kBgpHeaderSize);
  const std::uint8_t version = r.u8();
  BgpOpen open;
  open.as_number = r.u16();
  open.hold_time = r.u16();
  open.identifier = r.u32();
  if (r.failed()) return ParseError::truncated;
  if (version != kVersion) return ParseError::bad_version;
  if (const auto error = read_parameters(r, open)) return *error;
  return open;
}

Parsed<BgpNotification> parse_bgp_notification(Bytes message) noexcept {
  ByteReader r(message);
  r.skip(kBgpHeaderSize);
  const BgpNotification notification{r.u8(), r.u8()};
  if (r.failed()) return ParseError::truncated;
  return notification;
}

}  // namespace tunnelwatch::wire
