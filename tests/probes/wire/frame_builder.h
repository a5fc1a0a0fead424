#pragma once

#include "config/ip_address.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

// Writes frames for tests, layer by layer from the inside out. Nothing here shares code with the parsers.
namespace tunnelwatch::test {

using Buffer = std::vector<std::uint8_t>;

inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

inline void put16(Buffer& b, unsigned v) {
  b.push_back(static_cast<std::uint8_t>(v >> 8));
  b.push_back(static_cast<std::uint8_t>(v));
}
inline void put32(Buffer& b, std::uint32_t v) {
  put16(b, v >> 16);
  put16(b, v & 0xffff);
}
inline void put(Buffer& b, wire::Bytes bytes) { b.insert(b.end(), bytes.begin(), bytes.end()); }
inline Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) put(all, part);
  return all;
}
inline Buffer filler(std::size_t n, std::uint8_t first = 1) {
  Buffer b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<std::uint8_t>(first + i * 7);
  return b;
}

// A header of ISAKMP 2.0, IKE_SA_INIT request, and `body` bytes behind it.
inline Buffer isakmp(std::size_t body = 40) {
  Buffer b = filler(8, 0x11);
  b.resize(16);
  put(b, Buffer{33, 0x20, 34, 0x08});
  put32(b, 0);
  put32(b, static_cast<std::uint32_t>(28 + body));
  put(b, filler(body, 3));
  return b;
}

inline Buffer esp(std::uint32_t spi, std::uint32_t sequence, std::size_t body = 32) {
  Buffer b;
  put32(b, spi);
  put32(b, sequence);
  put(b, filler(body, 9));
  return b;
}

inline Buffer udp(unsigned source, unsigned destination, const Buffer& payload) {
  Buffer b;
  put16(b, source);
  put16(b, destination);
  put16(b, static_cast<unsigned>(payload.size() + 8));
  put16(b, 0);
  put(b, payload);
  return b;
}

struct Ipv4 {
  std::string_view source = "192.0.2.10";
  std::string_view destination = "198.51.100.20";
  unsigned protocol = 17;
  unsigned ttl = 61;
  unsigned id = 0x1234;
  unsigned fragment_word = 0;  // flags and offset as on the wire
  Buffer options = {};
};

inline Buffer ipv4(const Ipv4& h, const Buffer& payload) {
  Buffer b;
  const std::size_t header = 20 + h.options.size();
  put16(b, static_cast<unsigned>(0x4000 | (header / 4) << 8));
  put16(b, static_cast<unsigned>(header + payload.size()));
  put16(b, h.id);
  put16(b, h.fragment_word);
  put16(b, h.ttl << 8 | h.protocol);
  put16(b, 0);
  put(b, address(h.source).bytes());
  put(b, address(h.destination).bytes());
  put(b, h.options);
  put(b, payload);
  return b;
}

struct Ipv6 {
  std::string_view source = "2001:db8:a::10";
  std::string_view destination = "2001:db8:b::20";
  unsigned next = 17;
  unsigned hop_limit = 61;
};

inline Buffer ipv6(const Ipv6& h, const Buffer& payload) {
  Buffer b;
  put32(b, 0x60000000);
  put16(b, static_cast<unsigned>(payload.size()));
  put16(b, h.next << 8 | h.hop_limit);
  put(b, address(h.source).bytes());
  put(b, address(h.destination).bytes());
  put(b, payload);
  return b;
}

inline Buffer ipv6_fragment(unsigned next, unsigned offset, bool more, std::uint32_t id, const Buffer& data) {
  Buffer b;
  put16(b, next << 8);
  put16(b, offset | (more ? 1U : 0U));
  put32(b, id);
  put(b, data);
  return b;
}

inline Buffer icmp(unsigned type, unsigned code, std::uint32_t rest, const Buffer& body) {
  Buffer b;
  put16(b, type << 8 | code);
  put16(b, 0);
  put32(b, rest);
  put(b, body);
  return b;
}

inline Buffer ethernet(unsigned ether_type, const Buffer& packet) {
  Buffer b(12, 2);
  put16(b, ether_type);
  put(b, packet);
  return b;
}

// The IP packet with the Ethernet header of its version.
inline Buffer ethernet(const Buffer& packet) { return ethernet(packet[0] >> 4 == 6 ? 0x86dd : 0x0800, packet); }

// One piece of `payload`: [from, from + length) under the IPv4 header, flags set as its place asks.
inline Buffer ipv4_piece(Ipv4 h, const Buffer& payload, std::size_t from, std::size_t length) {
  const bool more = from + length < payload.size();
  h.fragment_word = static_cast<unsigned>(from / 8) | (more ? 0x2000U : 0U);
  const auto begin = payload.begin() + static_cast<std::ptrdiff_t>(from);
  return ipv4(h, Buffer(begin, begin + static_cast<std::ptrdiff_t>(length)));
}

}  // namespace tunnelwatch::test
