#pragma once

#include "config/ip_address.h"
#include "probes/observation.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::active {

// A received ICMP or ICMPv6 message as far as it can be about a probe of ours: an echo reply, or an error with what it
// quotes. Views point into the message.
struct ProbeQuote {
  bool echo_reply = false;
  RefusalReason reason = RefusalReason::none;  // of an error
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint16_t next_hop_mtu = 0;  // of fragmentation needed and packet too big; 0: not told
  // Of the quoted packet; of an echo reply only id, sequence and data.
  IpAddress from;
  IpAddress to;
  std::uint8_t protocol = 0;       // an ICMPv6 echo is kProtocolIcmp6
  std::uint16_t ip_id = 0;         // IPv4's identification; 0 for IPv6
  std::uint16_t from_port = 0;     // of UDP
  std::uint16_t to_port = 0;       // of UDP
  std::uint16_t id = 0;            // of an ICMP echo request
  std::uint16_t sequence = 0;      // of an ICMP echo request
  std::uint32_t spi = 0;           // of ESP
  std::uint32_t esp_sequence = 0;  // of ESP
  wire::Bytes data;                // behind the 8 bytes that every error quotes; often empty
};

// Reads a message from its type byte on; `family` is that of its sender. Nothing where it is malformed, where the quote
// ends before the 8 bytes that RFC 792 promises, where the quoted packet is a later fragment, or where it is no
// message that can be about a probe. Bytes are untrusted.
std::optional<ProbeQuote> read_probe_quote(wire::Bytes message, IpFamily family);

}  // namespace tunnelwatch::active
