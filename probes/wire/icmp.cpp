#include "probes/wire/icmp.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kIcmpHeaderSize = 8;

constexpr bool is_error4(std::uint8_t type) {  // unreachable, source quench, redirect, time exceeded, parameter problem
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}
constexpr bool is_error6(std::uint8_t type) { return type >= 1 && type <= 4; }
constexpr bool is_echo4(std::uint8_t type) { return type == 0 || type == 8; }
constexpr bool is_echo6(std::uint8_t type) { return type == 128 || type == 129; }

// RFC 4884 section 4: where the original datagram's length is told, extensions follow it. 0 means all of the rest.
std::size_t quote_length(Bytes message, bool v6, std::uint8_t type) {
  if (v6) return type == 1 || type == 3 ? message[4] * 8U : 0U;
  return type == 3 || type == 11 || type == 12 ? message[5] * 4U : 0U;
}

std::uint16_t next_hop_mtu(Bytes message, bool v6) {
  const auto low = static_cast<std::uint16_t>(message[6] << 8 | message[7]);
  return v6 && (message[4] != 0 || message[5] != 0) ? std::uint16_t{0xffff} : low;
}

}  // namespace

std::optional<ParseError> parse_icmp(Datagram& d) noexcept {
  if (d.payload.size() < kIcmpHeaderSize) return d.cut ? ParseError::truncated : ParseError::bad_length;
  const bool v6 = d.ip_protocol == 58;
  const Bytes message = d.payload;
  d.icmp_type = message[0];
  d.icmp_code = message[1];
  if (v6 ? is_echo6(d.icmp_type) : is_echo4(d.icmp_type)) {
    d.kind = DatagramKind::icmp_echo;
    return std::nullopt;
  }
  if (!(v6 ? is_error6(d.icmp_type) : is_error4(d.icmp_type))) return std::nullopt;
  d.kind = DatagramKind::icmp_error;
  if (v6 ? d.icmp_type == 2 : d.icmp_type == 3 && d.icmp_code == 4) d.next_hop_mtu = next_hop_mtu(message, v6);
  const std::size_t told = quote_length(message, v6, d.icmp_type);
  d.payload = message.subspan(kIcmpHeaderSize);
  if (told != 0) d.payload = d.payload.first(std::min(told, d.payload.size()));
  return std::nullopt;
}

}  // namespace tunnelwatch::wire
