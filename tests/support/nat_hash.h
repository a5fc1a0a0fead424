#pragma once

#include "tests/support/ike_bytes.h"

#include <openssl/sha.h>

// What a NAT_DETECTION notify says of an address (RFC 7296 section 2.23).
namespace tunnelwatch::test {

inline constexpr std::uint16_t kNatDetectionSource = 16388;
inline constexpr std::uint16_t kNatDetectionDestination = 16389;

inline Buffer nat_hash(std::uint64_t spi_i, std::uint64_t spi_r, const IpAddress& address, std::uint16_t port) {
  Buffer input;
  put(input, spi_i, 8);
  put(input, spi_r, 8);
  input.insert(input.end(), address.bytes().begin(), address.bytes().end());
  put(input, port, 2);
  Buffer digest(SHA_DIGEST_LENGTH);
  SHA1(input.data(), input.size(), digest.data());
  return digest;
}

}  // namespace tunnelwatch::test
