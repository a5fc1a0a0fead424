#include "probes/wire/pcap.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;
constexpr std::uint32_t kVersion = 2U | 4U << 16;
constexpr std::uint32_t kSnapLength = 65535;
constexpr std::uint32_t kLinkTypeRaw = 101;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

void put32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

void put_pcap_header(std::vector<std::uint8_t>& out) {
  for (const std::uint32_t field : {kNanosecondMagic, kVersion, 0U, 0U, kSnapLength, kLinkTypeRaw}) put32(out, field);
}

void put_pcap_record(std::vector<std::uint8_t>& out, WallTime at, Bytes packet, std::uint32_t wire_length) {
  const std::int64_t stamp = std::clamp<std::int64_t>(at.time_since_epoch().count(), 0, UINT32_MAX * kNanoseconds);
  put32(out, static_cast<std::uint32_t>(stamp / kNanoseconds));
  put32(out, static_cast<std::uint32_t>(stamp % kNanoseconds));
  put32(out, static_cast<std::uint32_t>(packet.size()));
  put32(out, wire_length);
  out.insert(out.end(), packet.begin(), packet.end());
}

}  // namespace tunnelwatch::wire
