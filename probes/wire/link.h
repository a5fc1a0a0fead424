#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/datagram.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

namespace tunnelwatch::wire {

// What a capture's frames begin with.
enum class LinkType : std::uint8_t {
  ethernet,   // DLT_EN10MB, with any stack of 802.1Q and 802.1ad tags, PPPoE sessions and MPLS labels
  raw_ip,     // DLT_RAW, LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6: no link header
  null_loop,  // DLT_NULL and DLT_LOOP: an address family of four bytes in either byte order
  sll,        // DLT_LINUX_SLL: the cooked header of the "any" device
  sll2,       // DLT_LINUX_SLL2
  ppp,        // DLT_PPP, DLT_PPP_SERIAL: with or without address and control (RFC 1662)
  unsupported,
};

// From the number that pcap_datalink() gives (a DLT) or a file carries (a LINKTYPE).
LinkType link_type_of(int dlt) noexcept;

// The network packet of a frame. `ip_version` is 4 or 6 as the link layer says it, 0 for what is not IP (ARP, LLDP).
struct LinkPayload {
  Bytes packet;                   // to the end of the captured bytes: Ethernet padding is still there
  std::uint32_t wire_length = 0;  // the same, as it was on the wire
  std::uint8_t ip_version = 0;
  LinkDirection direction = LinkDirection::unknown;
};

Parsed<LinkPayload> parse_link(LinkType type, Bytes frame, std::uint32_t wire_length) noexcept;

}  // namespace tunnelwatch::wire
