#pragma once

#include "tests/bench/traffic/ike_life.h"
#include "tests/support/ike_bytes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

// Frames as a gateway's capture shows them, written from the inside out: Ethernet, IPv4, UDP. Checksums of UDP are
// left out, which IPv4 allows; that of IP is right, for the kernel looks at it.
namespace tunnelwatch::bench {

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

// The gateway of every bench and its peers by number.
inline constexpr std::uint32_t kGateway = 0xc000020a;  // 192.0.2.10
inline constexpr std::uint32_t kPeers = 0xc6120000;    // 198.18.0.0/15

inline Ends ends_of(std::uint32_t peer, bool by_gateway) {
  const std::uint32_t remote = kPeers + 1 + peer;
  return by_gateway ? Ends{kGateway, remote, 64} : Ends{remote, kGateway, 57};
}

inline void put_udp(Buffer& b, std::uint16_t source_port, std::uint16_t destination_port, std::size_t payload) {
  put(b, source_port, 2);
  put(b, destination_port, 2);
  put(b, kUdpHeader + payload, 2);
  put(b, 0, 2);
}

// An IKE message as the packets that carry it, in IP fragments where it is too large for one.
inline std::vector<Buffer> frames_of(std::uint32_t peer, const IkeMessage& m, std::uint16_t id) {
  Buffer datagram;
  const std::size_t marker = m.port == 4500 ? 4 : 0;
  put_udp(datagram, m.port, m.port, marker + m.bytes.size());
  datagram.resize(datagram.size() + marker);
  datagram.insert(datagram.end(), m.bytes.begin(), m.bytes.end());
  constexpr std::size_t kPiece = (kMtu - kIpHeader) / 8 * 8;
  std::vector<Buffer> frames;
  for (std::size_t from = 0; from < datagram.size(); from += kPiece) {
    const std::size_t length = std::min(kPiece, datagram.size() - from);
    const bool more = from + length < datagram.size();
    const auto word = static_cast<std::uint16_t>(from / 8 | (more ? 0x2000U : 0U));
    Buffer frame = begin_frame(ends_of(peer, m.by_gateway), 17, length, id, word);
    const auto begin = datagram.begin() + static_cast<std::ptrdiff_t>(from);
    frame.insert(frame.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
    frames.push_back(std::move(frame));
  }
  return frames;
}

// The ESP of tunnels: two SPIs each, one a direction; every second tunnel travels in UDP. Sizes as gateways see them:
// many full packets, many short ones, some between.
struct EspStream {
  std::uint32_t tunnel = 0;
  bool by_gateway = true;
  std::uint32_t sequence = 0;

  explicit EspStream(std::uint32_t number) : tunnel(number / 2), by_gateway(number % 2 == 0) {}
  bool in_udp() const { return tunnel % 2 == 1; }
  std::uint32_t spi() const { return 0xc0000000 + (2 * tunnel + (by_gateway ? 0 : 1)) * 65537; }
  // A packet of `size` bytes from its IP header on, up to the sequence number: what follows is ciphertext.
  Buffer headers(std::size_t size, std::uint32_t number) const {
    const std::size_t length = size - kIpHeader;
    Buffer frame =
        begin_frame(ends_of(tunnel, by_gateway), in_udp() ? 17 : 50, length, static_cast<std::uint16_t>(number));
    if (in_udp()) put_udp(frame, 4500, 4500, length - kUdpHeader);
    put(frame, spi(), 4);
    put(frame, number, 4);
    return frame;
  }
  static std::size_t size_of(std::uint64_t dice) {
    if ((dice & 1) != 0) return 1400;
    return (dice & 2) != 0 ? 100 : 100 + (dice >> 8) % 1300;
  }
};

}  // namespace tunnelwatch::bench
