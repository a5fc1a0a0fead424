#pragma once

#include "config/ip_address.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

#include <boost/container/static_vector.hpp>

// What is negotiated for the inside of a tunnel. Encrypted on the wire; in clear where a capture was decrypted, and in
// aggressive mode's extensions. Each function takes a payload's body, and views lie inside it.
namespace tunnelwatch::wire {

// RFC 7296 section 3.13.1. Both ends included.
struct TrafficSelector {
  std::uint8_t type = 0;      // 7 IPv4, 8 IPv6; others are skipped
  std::uint8_t protocol = 0;  // 0: any
  std::uint16_t start_port = 0;
  std::uint16_t end_port = 0;
  IpAddress start;
  IpAddress end;
};
inline constexpr std::size_t kMaxTrafficSelectors = 64;
using TrafficSelectors = boost::container::static_vector<TrafficSelector, kMaxTrafficSelectors>;
// Errors: bad_payload_length, also for bytes behind the last one; too_many.
Parsed<TrafficSelectors> parse_traffic_selectors(Bytes body) noexcept;

// The configuration payload of v2 (RFC 7296 section 3.15) and the attributes payload of v1 (mode config and XAuth:
// draft-dukes-ike-mode-cfg).
struct ConfigurationAttribute {
  std::uint16_t type = 0;
  Bytes value;
};
struct Configuration {
  static constexpr std::size_t kMaxAttributes = 64;
  std::uint8_t type = 0;         // 1 request, 2 reply, 3 set, 4 acknowledge
  std::uint16_t identifier = 0;  // v1
  boost::container::static_vector<ConfigurationAttribute, kMaxAttributes> attributes;
};
Parsed<Configuration> parse_configuration_v1(Bytes body) noexcept;
Parsed<Configuration> parse_configuration_v2(Bytes body) noexcept;

}  // namespace tunnelwatch::wire
