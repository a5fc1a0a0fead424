#pragma once

#include "config/ip_address.h"
#include "probes/time.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>

namespace tunnelwatch::wire {

// What the link layer itself says about a frame's direction (the packet type of SLL and SLL2), or the capture beside it
// (the flags of a pcapng packet); unknown for the others.
enum class LinkDirection : std::uint8_t { unknown, in, out };

// What a frame is to us.
enum class DatagramKind : std::uint8_t {
  ike,            // UDP 500, or UDP 4500 behind the non-ESP marker; payload: the ISAKMP message, marker removed
  esp,            // IP protocol 50; payload: from the SPI on
  esp_in_udp,     // UDP 4500 without marker (RFC 3948); payload: from the SPI on
  ah,             // IP protocol 51 (RFC 4302); payload: the AH header and what is behind it. Counted, not followed
  nat_keepalive,  // UDP 4500, the single byte 0xff (RFC 3948 section 2.3)
  icmp_error,     // ICMP or ICMPv6 error; payload: the quoted packet from its IP header on; icmp_type, icmp_code set
  icmp_echo,      // ICMP or ICMPv6 echo request or reply; payload: the ICMP message
  fragment,       // an IP fragment of a packet that may be ours; payload: the fragment's data. See fragment_*
  other,          // well formed, nothing of ours
};

// One decoded frame. Views point into the frame's buffer and live as long as it does.
struct Datagram {
  DatagramKind kind = DatagramKind::other;
  LinkDirection link_direction = LinkDirection::unknown;
  std::uint8_t ip_protocol = 0;
  std::uint8_t ttl = 0;  // TTL or hop limit as seen
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  bool cut = false;  // the snap length cut the payload
  bool more_fragments = false;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t fragment_offset = 0;  // bytes
  std::uint32_t fragment_id = 0;
  std::uint32_t wire_length = 0;   // of the IP packet, also where the capture cut it
  std::uint16_t next_hop_mtu = 0;  // of a fragmentation-needed or packet-too-big error
  IpAddress source;
  IpAddress destination;
  Bytes payload;
};

}  // namespace tunnelwatch::wire
