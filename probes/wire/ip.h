#pragma once

#include "probes/wire/datagram.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

namespace tunnelwatch::wire {

// Whether the bytes should hold the whole packet. A quote in an ICMP error and a first fragment end early by nature:
// there, lengths beyond the bytes are no error.
enum class Extent : std::uint8_t { whole, partial };

// What the IP header says of its payload.
struct IpPayload {
  std::uint32_t wire_length = 0;  // of the payload, also where the capture cut it
  bool fragment = false;
};

// Reads the IP header, options and a bounded number of extension headers of an IPv4 or IPv6 packet (`version` as the
// link layer tells it) into `d`: addresses, ttl, ip_protocol, wire_length, fragment_*; d.payload is left at the IP
// payload, trimmed to the packet's length. `wire_length` is the packet's length on the wire with any padding.
// Errors: truncated, bad_version, bad_header_length, bad_length, too_many (extension headers).
Parsed<IpPayload> parse_ip(std::uint8_t version, Bytes packet, std::uint32_t wire_length, Extent extent,
                           Datagram& d) noexcept;

}  // namespace tunnelwatch::wire
