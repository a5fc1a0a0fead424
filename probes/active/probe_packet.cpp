#include "probes/active/probe_packet.h"

#include <algorithm>

namespace tunnelwatch::active {

namespace {

constexpr std::size_t kMaxPacket = 65535;

void put16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put(std::vector<std::uint8_t>& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// RFC 1071: the sum in one's complement, not yet complemented.
std::uint32_t fold(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffffU) + (sum >> 16);
  return sum;
}

std::uint32_t add_words(std::uint32_t sum, std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back() << 8);
  return fold(sum);
}

// The pseudo header of RFC 768 and RFC 8200 section 8.1; ICMP has none.
std::uint32_t pseudo_header(const ProbeHeader& header, std::size_t length) {
  if (header.protocol == kProtocolIcmp) return 0;
  std::uint32_t sum = add_words(0, header.from.bytes());
  sum = add_words(sum, header.to.bytes());
  return fold(sum + static_cast<std::uint32_t>(length) + header.protocol);
}

}  // namespace

std::vector<std::uint8_t> ip_packet(const ProbeHeader& header, std::span<const std::uint8_t> payload) {
  const bool v4 = header.from.is_v4();
  const std::size_t head = ip_header_size(header.from.family());
  payload = payload.first(std::min(payload.size(), kMaxPacket - head));
  std::vector<std::uint8_t> out;
  out.reserve(head + payload.size());
  if (v4) {
    put16(out, 0x4500);
    put16(out, head + payload.size());
    put16(out, header.id);
    put16(out, header.dont_fragment ? 0x4000 : 0);
    out.push_back(header.ttl);
    out.push_back(header.protocol);
    put16(out, 0);
  } else {
    put16(out, 0x6000);
    put16(out, 0);
    put16(out, payload.size());
    out.push_back(header.protocol);
    out.push_back(header.ttl);
  }
  put(out, header.from.bytes());
  put(out, header.to.bytes());
  put(out, payload);
  return out;
}

std::vector<std::uint8_t> udp_datagram(const ProbeHeader& header, std::uint16_t from_port, std::uint16_t to_port,
                                       std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> udp;
  put16(udp, from_port);
  put16(udp, to_port);
  put16(udp, 8 + payload.size());
  put16(udp, 0);
  put(udp, payload);
  auto checksum = static_cast<std::uint16_t>(~add_words(pseudo_header(header, udp.size()), udp));
  if (checksum == 0) checksum = 0xffff;  // 0 would say that there is none
  udp[6] = static_cast<std::uint8_t>(checksum >> 8);
  udp[7] = static_cast<std::uint8_t>(checksum);
  return ip_packet(header, udp);
}

std::vector<std::uint8_t> echo_request(const ProbeHeader& header, std::uint16_t id, std::uint16_t sequence,
                                       std::uint16_t checksum, std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> icmp;
  icmp.push_back(header.protocol == kProtocolIcmp ? 8 : 128);
  icmp.push_back(0);
  put16(icmp, checksum);
  put16(icmp, id);
  put16(icmp, sequence);
  put(icmp, payload);
  // The free word makes the sum, checksum included, what a receiver expects: all ones.
  const std::size_t at = 8 + kFreeWordAt;
  icmp[at] = icmp[at + 1] = 0;
  const auto word = static_cast<std::uint16_t>(~add_words(pseudo_header(header, icmp.size()), icmp));
  icmp[at] = static_cast<std::uint8_t>(word >> 8);
  icmp[at + 1] = static_cast<std::uint8_t>(word);
  return ip_packet(header, icmp);
}

}  // namespace tunnelwatch::active
