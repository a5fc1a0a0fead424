#pragma once

#include "config/ip_address.h"

#include <cstdint>
#include <span>
#include <vector>

// Whole IP packets for raw sockets that take the IP header from the caller, so that TTL, DF and identification are
// those that a probe is recognised by.
namespace tunnelwatch::active {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolEsp = 50;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;

// `from` and `to` are of the same family.
struct ProbeHeader {
  IpAddress from;
  IpAddress to;
  std::uint8_t ttl = 64;
  std::uint8_t protocol = kProtocolIcmp;
  std::uint16_t id = 1;  // IPv4's identification; the kernel replaces 0
  bool dont_fragment = false;
};

// What the IP header takes: 20 bytes of IPv4, 40 of IPv6.
constexpr std::size_t ip_header_size(IpFamily family) { return family == IpFamily::v4 ? 20 : 40; }

// RFC 791 section 3.1, RFC 8200 section 3. The header's own checksum is left to the kernel. A payload beyond what the
// length field can tell is cut.
std::vector<std::uint8_t> ip_packet(const ProbeHeader& header, std::span<const std::uint8_t> payload);

// RFC 768, with its checksum.
std::vector<std::uint8_t> udp_datagram(const ProbeHeader& header, std::uint16_t from_port, std::uint16_t to_port,
                                       std::span<const std::uint8_t> payload);

// RFC 792, RFC 4443 section 4.1. The two bytes of `payload` at kFreeWordAt, which it must have, are chosen so that all
// requests of one `id` have the checksum `checksum`: routers that spread load by the first bytes behind the IP header
// take all of them along one path.
inline constexpr std::size_t kFreeWordAt = 8;
std::vector<std::uint8_t> echo_request(const ProbeHeader& header, std::uint16_t id, std::uint16_t sequence,
                                       std::uint16_t checksum, std::span<const std::uint8_t> payload);

}  // namespace tunnelwatch::active
