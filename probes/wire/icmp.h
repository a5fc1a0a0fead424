#pragma once

#include "probes/wire/datagram.h"
#include "probes/wire/ip.h"
#include "probes/wire/parse_error.h"

#include <optional>

namespace tunnelwatch::wire {

// Reads the ICMP (d.ip_protocol 1, RFC 792) or ICMPv6 (58, RFC 4443) message at d.payload. Errors leave the quoted
// packet as payload, without the extensions of RFC 4884; echo requests and replies the whole message; the rest is
// DatagramKind::other. Checksums are left to the kernel: a capture of our own output may not have them yet.
std::optional<ParseError> parse_icmp(Datagram& d) noexcept;

}  // namespace tunnelwatch::wire
