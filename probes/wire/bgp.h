#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstddef>
#include <cstdint>
#include <optional>

// The BGP messages that tell who two speakers say they are: OPEN, NOTIFICATION and KEEPALIVE (RFC 4271 section 4).
namespace tunnelwatch::wire {

inline constexpr std::uint16_t kBgpPort = 179;
inline constexpr std::size_t kBgpHeaderSize = 19;
inline constexpr std::size_t kBgpMaxMessage = 4096;  // RFC 8654 allows more, but not before both ends agreed to it

enum class BgpType : std::uint8_t { open = 1, update = 2, notification = 3, keepalive = 4, route_refresh = 5 };

struct BgpHeader {
  std::uint16_t length = 0;  // of the message, header included
  BgpType type = BgpType::keepalive;
};

struct BgpOpen {
  std::uint32_t as_number = 0;  // of four octets where the speaker has the capability (RFC 6793), else of two
  bool four_octets = false;
  std::uint16_t hold_time = 0;   // seconds
  std::uint32_t identifier = 0;  // an IPv4 address
};

struct BgpNotification {
  std::uint8_t code = 0;
  std::uint8_t subcode = 0;
};
inline constexpr BgpNotification kBadPeerAs{2, 2};  // RFC 4271 section 6.2

// The header at the beginning of `bytes`. Errors: truncated (fewer than kBgpHeaderSize bytes), unsupported (no marker
// of ones), bad_version (an unknown type), bad_length (outside the bounds of its type).
Parsed<BgpHeader> parse_bgp_header(Bytes bytes) noexcept;

// `message`: one whole message of that type, its header included. Errors: truncated, bad_version, bad_length
// (parameters that do not fit), bad_payload_length (a capability that does not fit), too_many.
Parsed<BgpOpen> parse_bgp_open(Bytes message) noexcept;
Parsed<BgpNotification> parse_bgp_notification(Bytes message) noexcept;

}  // namespace tunnelwatch::wire
