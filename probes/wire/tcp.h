#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

namespace tunnelwatch::wire {

// One TCP segment (RFC 9293 section 3.1). The payload is what the bytes given hold of it.
struct TcpSegment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  bool syn = false;
  bool ack = false;
  bool fin = false;
  bool rst = false;
  Bytes payload;
};

// `ip_payload`: of one whole IP packet, no fragment. Errors: truncated, bad_header_length.
Parsed<TcpSegment> parse_tcp(Bytes ip_payload) noexcept;

}  // namespace tunnelwatch::wire
