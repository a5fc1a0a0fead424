#pragma once

#include "tests/probes/wire/frame_builder.h"

#include <cstdint>
#include <optional>

// BGP messages and the TCP segments that carry them, for tests. Nothing here shares code with the parsers.
namespace tunnelwatch::test {

inline Buffer bgp_message(unsigned type, const Buffer& body) {
  Buffer b(16, 0xff);
  put16(b, static_cast<unsigned>(19 + body.size()));
  b.push_back(static_cast<std::uint8_t>(type));
  put(b, body);
  return b;
}

inline Buffer bgp_capability(unsigned code, const Buffer& value) {
  Buffer b{static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(value.size())};
  put(b, value);
  return b;
}

inline Buffer as4_capability(std::uint32_t as_number) {
  Buffer value;
  put32(value, as_number);
  return bgp_capability(65, value);
}

// An optional parameter of capabilities; RFC 9072's form where `extended`.
inline Buffer bgp_parameter(const Buffer& value, bool extended = false) {
  Buffer b{2};
  if (extended) {
    put16(b, static_cast<unsigned>(value.size()));
  } else {
    b.push_back(static_cast<std::uint8_t>(value.size()));
  }
  put(b, value);
  return b;
}

inline Buffer bgp_open_with(std::uint16_t my_as, const Buffer& parameters, bool extended = false) {
  Buffer body{4};
  put16(body, my_as);
  put16(body, 90);
  put32(body, 0x0a000001);
  if (extended) {
    put(body, Buffer{255, 255});
    put16(body, static_cast<unsigned>(parameters.size()));
  } else {
    body.push_back(static_cast<std::uint8_t>(parameters.size()));
  }
  put(body, parameters);
  return bgp_message(1, body);
}

// As a speaker of today says it: its number in the capability too, AS_TRANS where it does not fit.
inline Buffer bgp_open(std::uint32_t as_number) {
  const auto two_octets = static_cast<std::uint16_t>(as_number > 0xffff ? 23456 : as_number);
  return bgp_open_with(two_octets, bgp_parameter(joined({bgp_capability(1, {0, 1, 0, 1}), as4_capability(as_number)})));
}
inline Buffer bgp_keepalive() { return bgp_message(4, {}); }
inline Buffer bgp_notification(unsigned code, unsigned subcode) {
  return bgp_message(3, {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(subcode)});
}

struct Tcp {
  unsigned source = 40000;
  unsigned destination = 179;
  std::uint32_t sequence = 1;
  unsigned flags = 0x10;  // ACK
};

inline Buffer tcp(const Tcp& h, const Buffer& payload, const Buffer& options = {}) {
  Buffer b;
  put16(b, h.source);
  put16(b, h.destination);
  put32(b, h.sequence);
  put32(b, 0);
  put16(b, static_cast<unsigned>((20 + options.size()) / 4 << 12) | h.flags);
  put16(b, 65535);
  put32(b, 0);
  put(b, options);
  put(b, payload);
  return b;
}

}  // namespace tunnelwatch::test
