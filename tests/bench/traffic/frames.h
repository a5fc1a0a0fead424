#pragma once

#include "tests/support/ike_bytes.h"

#include <array>
#include <cstdint>

// Frames as a gateway's capture shows them, written from the inside out: Ethernet, IPv4, UDP. Checksums of UDP are
// left out, which IPv4 allows; that of IP is right, for the kernel looks at it.
namespace tunnelwatch::bench {

using test::Buffer;
using test::put;

struct Ends {
  std::uint32_t source = 0;  // host order
  std::uint32_t destination = 0;
  std::uint8_t ttl = 64;
};

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kIpHeader = 20;
inline constexpr std::size_t kUdpHeader = 8;
inline constexpr std::size_t kMtu = 1500;

// The far end's cards, and a destination that belongs to neither: the receiving host's stack drops such a frame right
// behind the capture, so that nothing but the capture is measured.
inline constexpr std::array<std::uint8_t, 12> kMacs{2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 0x02};

inline std::uint16_t ip_checksum(const std::uint8_t* header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIpHeader; i += 2) sum += static_cast<std::uint32_t>(header[i] << 8 | header[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Link and network header of a packet with `length` bytes behind them. `fragment`: flags and offset as on the wire.
inline Buffer begin_frame(const Ends& ends, std::uint8_t protocol, std::size_t length, std::uint16_t id,
                          std::uint16_t fragment = 0) {
  Buffer b(kMacs.begin(), kMacs.end());
  b.reserve(kEthernetHeader + kIpHeader + length);
  put(b, 0x0800, 2);
  put(b, 0x4500, 2);
  put(b, kIpHeader + length, 2);
  put(b, id, 2);
  put(b, fragment, 2);
  put(b, ends.ttl, 1);
  put(b, protocol, 1);
  put(b, 0, 2);
  put(b, ends.source, 4);
  put(b, ends.destination, 4);
  const std::uint16_t sum = ip_checksum(b.data() + kEthernetHeader);
  b[kEthernetHeader + 10] = static_cast<std::uint8_t>(sum >> 8);
  b[kEthernetHeader + 11] = static_cast<std::uint8_t>(sum);
  return b;
}

inline void put_udp(Buffer& b, std::uint16_t source_port, std::uint16_t destination_port, std::size_t payload) {
  put(b, source_port, 2);
  put(b, destination_port, 2);
  put(b, kUdpHeader + payload, 2);
  put(b, 0, 2);
}

}  // namespace tunnelwatch::bench
