#pragma once

#include "config/ip_address.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

// The small payloads of both versions. Each function takes a payload's body, and views lie inside it.
namespace tunnelwatch::wire {

// RFC 7296 section 3.11: `count` SPIs of one protocol; RFC 2408 section 3.15, there preceded by a four-byte DOI.
struct IkeDelete {
  std::uint8_t protocol = 0;  // v1: 1 ISAKMP, 2 AH, 3 ESP; v2: 1 IKE, 2 AH, 3 ESP
  std::uint8_t spi_size = 0;
  std::uint16_t count = 0;
  Bytes spis;  // all of them
};
// Errors: bad_payload_length, also where the SPIs are more or fewer than `count`.
Parsed<IkeDelete> parse_delete_v1(Bytes body) noexcept;
Parsed<IkeDelete> parse_delete_v2(Bytes body) noexcept;

// The nonce of either version. Error: bad_payload_length outside of 16 to 256 bytes (RFC 7296 section 3.9), of 8 to 256
// (RFC 2409 section 5).
Parsed<Bytes> parse_nonce_v1(Bytes body) noexcept;
Parsed<Bytes> parse_nonce_v2(Bytes body) noexcept;

// NAT-D (RFC 3947 section 3.2): a hash of the negotiated algorithm, which has between 16 and 64 bytes.
Parsed<Bytes> parse_nat_detection_v1(Bytes body) noexcept;
// NAT-OA (RFC 3947 section 5.2).
Parsed<IpAddress> parse_nat_original_address_v1(Bytes body) noexcept;

// The vendors' fragmentation of v1 (payload 132; Microsoft's [MS-IKEE] section 2.2.6): a part of one message, whose
// header and payloads are in the data of all parts together.
struct IkeFragmentV1 {
  std::uint16_t id = 0;     // of the message
  std::uint8_t number = 0;  // from 1
  bool last = false;
  Bytes data;
};
Parsed<IkeFragmentV1> parse_fragment_v1(Bytes body) noexcept;

}  // namespace tunnelwatch::wire
