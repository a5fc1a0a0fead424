#pragma once

#include "probes/wire/datagram.h"
#include "probes/wire/link.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

// From a captured frame to what it is to us. Pure: no allocation, no throw; views point into the bytes given.
namespace tunnelwatch::wire {

// `frame` is what the capture kept, `wire_length` what was on the wire: where the snap length cut the frame behind the
// headers that name it, the datagram is told with `cut` set; a packet that claims more than the wire carried is an
// error. UDP of other ports and other protocols are DatagramKind::other, and so is what is not IP.
// Of fragments, only UDP's and ESP's are DatagramKind::fragment; ip_protocol tells which. A first fragment of UDP has
// its ports set, whatever they are, for reassembly must know which trains are not ours.
Parsed<Datagram> decode_frame(LinkType type, Bytes frame, std::uint32_t wire_length) noexcept;

// The packet that an ICMP error quotes, from its IP header on. It ends early by nature: `cut` tells so, and the payload
// may be empty. A quoted first fragment is what it begins (ike, esp), with more_fragments set.
Parsed<Datagram> decode_quoted(Bytes ip_packet) noexcept;

// What the beginning of a packet is, seen in its first fragment (kind fragment, fragment_offset 0): like decode_quoted.
Parsed<Datagram> decode_first_fragment(const Datagram& first) noexcept;

// A packet put together again: `ip_payload` under the addresses and the protocol of `first`, its first fragment.
Parsed<Datagram> decode_reassembled(const Datagram& first, Bytes ip_payload) noexcept;

}  // namespace tunnelwatch::wire
