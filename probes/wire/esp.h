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
  const std::uint8_t* const p = payload.data();
  return EspHeader{std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3],
                   std::uint32_t{p[4]} << 24 | std::uint32_t{p[5]} << 16 | std::uint32_t{p[6]} << 8 | p[7]};
}

}  // namespace tunnelwatch::wire
