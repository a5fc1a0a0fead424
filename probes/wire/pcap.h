#pragma once

#include "probes/time.h"
#include "probes/wire/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <vector>

// Capture files as bytes: the classic pcap format with nanosecond stamps, little-endian, of IP packets without a link
// header (LINKTYPE_RAW).
namespace tunnelwatch::wire {

inline constexpr std::size_t kPcapHeaderSize = 24;
inline constexpr std::size_t kPcapRecordHeaderSize = 16;

void put_pcap_header(std::vector<std::uint8_t>& out);
// `packet` is what is kept of it, `wire_length` what it was; at most 65535 bytes each.
void put_pcap_record(std::vector<std::uint8_t>& out, WallTime at, Bytes packet, std::uint32_t wire_length);

}  // namespace tunnelwatch::wire
