#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/esp.h"
#include "probes/wire/link.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace tunnelwatch::wire {

// What an ESP stream's bookkeeping needs of a packet. The addresses are four bytes each as they stand in the packet.
struct EspGlance {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint32_t spi = 0;
  std::uint32_t sequence = 0;
  std::uint32_t wire_length = 0;  // of the IP packet
  std::uint16_t source_port = 0;  // 0 for plain ESP
  std::uint16_t destination_port = 0;
  bool in_udp = false;
};

// The shortcut for what a gateway sees millions of: whole IPv4 without options, plain on Ethernet or without a link
// header, with ESP or ESP in UDP of an SPI of ours. Nothing when a frame is anything else or anything is odd about it:
// then decode_frame() judges. Where this answers, decode_frame() says the same (tests/probes/wire/frame_test.cpp).
inline std::optional<EspGlance> glance_at_esp(LinkType type, Bytes frame, std::uint32_t wire_length) noexcept {
  constexpr std::size_t kIp = 20;
  constexpr std::size_t kUdp = 8;
  const auto be16 = [](const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); };
  const std::size_t link = type == LinkType::ethernet ? 14 : 0;
  if ((type != LinkType::ethernet && type != LinkType::raw_ip) || frame.size() < link + kIp + kEspHeaderSize) return {};
  if (link != 0 && be16(&frame[12]) != 0x0800) return {};
  const std::uint8_t* const ip = &frame[link];
  const std::uint32_t total = be16(ip + 2);
  const std::uint32_t length = std::max(wire_length, static_cast<std::uint32_t>(frame.size()));
  if (ip[0] != 0x45 || (be16(ip + 6) & 0x3fff) != 0 || total > length - link) return {};

  EspGlance glance;
  std::size_t header = kIp;
  if (ip[9] == 17) {
    header += kUdp;
    if (frame.size() < link + header + kEspHeaderSize) return {};
    glance.in_udp = true;
    glance.source_port = be16(ip + kIp);
    glance.destination_port = be16(ip + kIp + 2);
    const std::uint32_t udp_length = be16(ip + kIp + 4);
    const bool behind_4500 = (glance.source_port == 4500 && glance.destination_port != 500) ||
                             (glance.destination_port == 4500 && glance.source_port != 500);
    if (!behind_4500 || udp_length < kUdp + kEspHeaderSize || udp_length + kIp > total) return {};
  } else if (ip[9] != 50) {
    return {};
  }
  if (total < header + kEspHeaderSize) return {};
  const auto esp = read_esp_header(frame.subspan(link + header));
  if (!esp || esp->spi < kFirstOwnSpi) return {};
  std::memcpy(&glance.source, ip + 12, sizeof glance.source);
  std::memcpy(&glance.destination, ip + 16, sizeof glance.destination);
  glance.spi = esp->spi;
  glance.sequence = esp->sequence;
  glance.wire_length = total;
  return glance;
}

}  // namespace tunnelwatch::wire
