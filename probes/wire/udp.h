#pragma once

#include "probes/wire/datagram.h"
#include "probes/wire/ip.h"
#include "probes/wire/parse_error.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::wire {

inline constexpr std::uint16_t kIkePort = 500;
inline constexpr std::uint16_t kNatTraversalPort = 4500;

constexpr bool is_ike_port(std::uint16_t port) { return port == kIkePort || port == kNatTraversalPort; }

// Reads the UDP header at d.payload (`wire_length`: of the IP payload) and says what the datagram is to us: ports are
// set, the kind, and the payload is left as DatagramKind tells. One of our ports on either side is enough: NAT moves
// the other. Behind 4500, four zero bytes are the non-ESP marker, 0xff alone a keepalive, the rest ESP (RFC 3948
// section 2). A partial datagram too short to tell IKE from ESP behind 4500 is esp_in_udp with what payload there is.
std::optional<ParseError> parse_udp(Datagram& d, std::uint32_t wire_length, Extent extent) noexcept;

}  // namespace tunnelwatch::wire
