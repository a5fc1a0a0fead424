#pragma once

#include "probes/wire/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace tunnelwatch::wire {

inline constexpr std::size_t kEspHeaderSize = 8;
inline constexpr std::uint32_t kFirstOwnSpi = 256;  // RFC 4303 section 2.1: 0 to 255 are reserved

// The clear part of an ESP packet (RFC 4303 section 2). With extended sequence numbers these are the low 32 bits.
struct EspHeader {
  std::uint32_t spi = 0;
  std::uint32_t sequence = 0;
};

inline std::optional<EspHeader> read_esp_header(Bytes payload) noexcept {
  if (payload.size() < kEspHeaderSize) return std::nullopt;
  const auto be32 = [payload](std::size_t at) {
    return std::uint32_t{payload[at]} << 24 | std::uint32_t{payload[at + 1]} << 16 |
           std::uint32_t{payload[at + 2]} << 8 | std::uint32_t{payload[at + 3]};
  };
  return EspHeader{be32(0), be32(4)};
}

}  // namespace tunnelwatch::wire
