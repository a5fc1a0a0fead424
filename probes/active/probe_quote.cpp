#include "probes/active/probe_quote.h"

#include "probes/active/probe_packet.h"
#include "probes/wire/icmp.h"
#include "probes/wire/ip.h"

namespace tunnelwatch::active {

using wire::ByteReader;
using wire::Bytes;

namespace {

// The 8 bytes that an echo begins with; what follows is left as data.
bool read_echo(ByteReader& r, std::uint8_t wanted_type, ProbeQuote& quote) {
  const std::uint8_t type = r.u8();
  r.skip(3);
  quote.id = r.u16();
  quote.sequence = r.u16();
  return !r.failed() && type == wanted_type;
}

bool read_transport(ByteReader& r, IpFamily family, ProbeQuote& quote) {
  if (quote.protocol == kProtocolUdp) {
    quote.from_port = r.u16();
    quote.to_port = r.u16();
    r.skip(4);
    return !r.failed();
  }
  if (quote.protocol == kProtocolEsp) {  // RFC 4303 section 2
    quote.spi = r.u32();
    quote.esp_sequence = r.u32();
    return !r.failed();
  }
  const bool v4 = family == IpFamily::v4;
  return quote.protocol == (v4 ? kProtocolIcmp : kProtocolIcmp6) && read_echo(r, v4 ? 8 : 128, quote);
}

}  // namespace

std::optional<ProbeQuote> read_probe_quote(Bytes message, IpFamily family) {
  const bool v4 = family == IpFamily::v4;
  wire::Datagram icmp;
  icmp.ip_protocol = v4 ? kProtocolIcmp : kProtocolIcmp6;
  icmp.payload = message;
  if (wire::parse_icmp(icmp)) return std::nullopt;
  ProbeQuote quote;
  quote.type = icmp.icmp_type;
  quote.code = icmp.icmp_code;
  if (icmp.kind == wire::DatagramKind::icmp_echo) {
    ByteReader r(icmp.payload);
    quote.echo_reply = true;
    if (!read_echo(r, v4 ? 0 : 129, quote)) return std::nullopt;
    quote.data = r.rest();
    return quote;
  }
  const bool went_on = v4 && (quote.type == 4 || quote.type == 5);  // source quench, redirect
  if (icmp.kind != wire::DatagramKind::icmp_error || went_on) return std::nullopt;
  quote.reason = refusal_of_icmp(family, quote.type, quote.code);
  quote.next_hop_mtu = icmp.next_hop_mtu;
  wire::Datagram quoted;
  const auto size = static_cast<std::uint32_t>(icmp.payload.size());
  const auto ip = wire::parse_ip(v4 ? 4 : 6, icmp.payload, size, wire::Extent::partial, quoted);
  if (!ip || (ip->fragment && quoted.fragment_offset != 0)) return std::nullopt;
  quote.from = quoted.source;
  quote.to = quoted.destination;
  quote.protocol = quoted.ip_protocol;
  if (v4) quote.ip_id = static_cast<std::uint16_t>(icmp.payload[4] << 8 | icmp.payload[5]);
  ByteReader r(quoted.payload);
  if (!read_transport(r, family, quote)) return std::nullopt;
  quote.data = r.rest();
  return quote;
}

}  // namespace tunnelwatch::active
