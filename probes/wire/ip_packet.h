#pragma once

#include "probes/wire/datagram.h"

#include <cstdint>
#include <vector>

namespace tunnelwatch::wire {

// An IP packet as bytes, as a capture file keeps it.
struct IpPacket {
  std::vector<std::uint8_t> bytes;
  std::uint32_t wire_length = 0;  // above bytes.size() where the capture had cut the packet
};

// The packet that `d`, of kind ike or icmp_error, was decoded from, as far as it can be told: addresses, ports, TTL and
// payload are those of `d`, the non-ESP marker stands where a port is 4500, and checksums are right (0, "none", where
// the payload was cut). Options, extension headers and the split in fragments are not kept. Other kinds give no bytes.
// A packet never exceeds what its IP header can tell; a payload that does is cut.
IpPacket ip_packet_of(const Datagram& d);

// A packet of ip_packet_of() in IP fragments (RFC 791 section 3.2, RFC 8200 section 4.5) as a link of 1500 bytes cuts
// it, two at least: how one that came in fragments is told apart from one that came whole. Where the first cuts were is
// not kept. `id` is the train's own. One that was cut, or is too short to cut, comes back whole.
std::vector<IpPacket> ip_fragments_of(const IpPacket& whole, std::uint32_t id);

}  // namespace tunnelwatch::wire
