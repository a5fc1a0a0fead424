#include "probes/wire/ip_packet.h"

#include "probes/wire/udp.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kIpv4HeaderSize = 20;
constexpr std::size_t kIpv6HeaderSize = 40;
constexpr std::size_t kTransportHeaderSize = 8;  // of UDP and of ICMP alike
constexpr std::size_t kMarkerSize = 4;
constexpr std::size_t kLargestField = 65535;    // what a length of 16 bits can say
constexpr std::size_t kFragmentHeaderSize = 8;  // of IPv6; IPv4 has its fields in the header
constexpr std::size_t kLinkMtu = 1500;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIpv6Fragment = 44;
constexpr std::uint8_t kIcmp6 = 58;

using Buffer = std::vector<std::uint8_t>;

void put16(Buffer& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void put32(Buffer& out, std::size_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
void put(Buffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void set16(Buffer& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

// RFC 1071: the sum of 16-bit words; each part but the last has an even length.
class Checksum {
 public:
  Checksum& add(Bytes bytes) {
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
      sum_ += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    if (bytes.size() % 2 != 0) sum_ += static_cast<std::uint32_t>(bytes.back() << 8);
    return *this;
  }
  Checksum& add(std::size_t number) {
    sum_ += number;
    return *this;
  }
  std::uint16_t value() const {
    std::uint64_t sum = sum_;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }

 private:
  std::uint64_t sum_ = 0;
};

// How long the parts are: `kept` of the payload is there, `whole` was on the wire.
struct Sizes {
  std::size_t ip_header = 0;
  std::size_t marker = 0;
  std::size_t kept = 0;
  std::size_t whole = 0;

  std::size_t transport() const { return kTransportHeaderSize + marker + whole; }
  bool cut() const { return kept < whole; }
};

Sizes sizes_of(const Datagram& d) {
  Sizes s;
  const bool ike = d.kind == DatagramKind::ike;
  s.ip_header = d.source.is_v4() ? kIpv4HeaderSize : kIpv6HeaderSize;
  s.marker = ike && (d.source_port == kNatTraversalPort || d.destination_port == kNatTraversalPort) ? kMarkerSize : 0;
  const std::size_t others = s.ip_header + kTransportHeaderSize + s.marker;
  const std::size_t room = kLargestField - others;  // the length field of IPv6 could say 40 bytes more
  s.whole = d.cut && d.wire_length > others ? std::max<std::size_t>(d.payload.size(), d.wire_length - others)
                                            : d.payload.size();
  s.whole = std::min(s.whole, room);
  s.kept = std::min(d.payload.size(), s.whole);
  return s;
}

void put_ip_header(Buffer& out, const Datagram& d, std::uint8_t protocol, const Sizes& sizes) {
  if (!d.source.is_v4()) {  // RFC 8200 section 3
    put32(out, 0x60000000);
    put16(out, sizes.transport());
    out.push_back(protocol);
    out.push_back(d.ttl);
    put(out, d.source.bytes());
    put(out, d.destination.bytes());
    return;
  }
  put16(out, 0x4500);  // RFC 791 section 3.1
  put16(out, sizes.ip_header + sizes.transport());
  put32(out, 0);  // neither identification nor fragment
  out.push_back(d.ttl);
  out.push_back(protocol);
  put16(out, 0);
  put(out, d.source.bytes());
  put(out, d.destination.bytes());
  set16(out, 10, Checksum().add(out).value());
}

// RFC 768, RFC 8200 section 8.1: the checksum's own field counts as 0.
std::uint16_t transport_checksum(const Buffer& packet, const Datagram& d, std::uint8_t protocol, const Sizes& sizes) {
  Checksum sum;
  if (protocol != kIcmp) {
    sum.add(d.source.bytes()).add(d.destination.bytes()).add(std::size_t{protocol}).add(sizes.transport());
  }
  return sum.add(Bytes(packet).subspan(sizes.ip_header)).value();
}

IpPacket finish(Buffer packet, const Datagram& d, std::uint8_t protocol, const Sizes& sizes) {
  put(packet, d.payload.first(sizes.kept));
  if (!sizes.cut()) {
    std::uint16_t sum = transport_checksum(packet, d, protocol, sizes);
    if (protocol == kUdp && sum == 0) sum = 0xffff;  // 0 would mean "none"
    set16(packet, sizes.ip_header + (protocol == kUdp ? 6U : 2U), sum);
  }
  return {std::move(packet), static_cast<std::uint32_t>(sizes.ip_header + sizes.transport())};
}

IpPacket udp_packet(const Datagram& d, const Sizes& sizes) {
  Buffer out;
  out.reserve(sizes.ip_header + kTransportHeaderSize + sizes.marker + sizes.kept);
  put_ip_header(out, d, kUdp, sizes);
  put16(out, d.source_port);
  put16(out, d.destination_port);
  put16(out, sizes.transport());
  put16(out, 0);
  out.resize(out.size() + sizes.marker);
  return finish(std::move(out), d, kUdp, sizes);
}

// RFC 792, RFC 4443 section 3: what the error quotes follows its header of eight bytes.
IpPacket icmp_packet(const Datagram& d, const Sizes& sizes) {
  const std::uint8_t protocol = d.source.is_v4() ? kIcmp : kIcmp6;
  Buffer out;
  out.reserve(sizes.ip_header + kTransportHeaderSize + sizes.kept);
  put_ip_header(out, d, protocol, sizes);
  out.push_back(d.icmp_type);
  out.push_back(d.icmp_code);
  put16(out, 0);
  put32(out, d.next_hop_mtu);
  return finish(std::move(out), d, protocol, sizes);
}

// `data` is the part of the payload at `offset`, both multiples of 8 but for the last part's length.
IpPacket ipv4_fragment(Bytes header, Bytes data, std::size_t offset, bool more, std::uint32_t id) {
  Buffer out(header.begin(), header.end());
  set16(out, 2, static_cast<std::uint16_t>(header.size() + data.size()));
  set16(out, 4, static_cast<std::uint16_t>(id));
  set16(out, 6, static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000U : 0U)));
  set16(out, 10, 0);
  set16(out, 10, Checksum().add(out).value());
  put(out, data);
  const auto length = static_cast<std::uint32_t>(out.size());
  return {std::move(out), length};
}

IpPacket ipv6_fragment(Bytes header, Bytes data, std::size_t offset, bool more, std::uint32_t id) {
  Buffer out(header.begin(), header.end());
  set16(out, 4, static_cast<std::uint16_t>(kFragmentHeaderSize + data.size()));
  const std::uint8_t protocol = std::exchange(out[6], kIpv6Fragment);
  put16(out, std::size_t{protocol} << 8);
  put16(out, offset | (more ? 1U : 0U));
  put32(out, id);
  put(out, data);
  const auto length = static_cast<std::uint32_t>(out.size());
  return {std::move(out), length};
}

}  // namespace

std::vector<IpPacket> ip_fragments_of(const IpPacket& whole, std::uint32_t id) {
  const Bytes packet(whole.bytes);
  constexpr std::size_t kLeast = 16;  // a part of 8 bytes and something behind it
  const bool v4 = !packet.empty() && packet[0] >> 4 == 4;
  const std::size_t header = v4 ? kIpv4HeaderSize : kIpv6HeaderSize;
  if (packet.size() < header + kLeast || packet.size() < whole.wire_length) return {whole};
  const Bytes payload = packet.subspan(header);
  const std::size_t room = (kLinkMtu - header - kFragmentHeaderSize) / 8 * 8;
  const std::size_t half = (payload.size() / 2 + 7) / 8 * 8;
  const std::size_t step = std::min(room, half);
  std::vector<IpPacket> parts;
  for (std::size_t offset = 0; offset < payload.size(); offset += step) {
    const Bytes data = payload.subspan(offset, std::min(step, payload.size() - offset));
    const bool more = offset + data.size() < payload.size();
    parts.push_back(v4 ? ipv4_fragment(packet.first(header), data, offset, more, id)
                       : ipv6_fragment(packet.first(header), data, offset, more, id));
  }
  return parts;
}

IpPacket ip_packet_of(const Datagram& d) {
  if (d.source.family() != d.destination.family()) return {};
  switch (d.kind) {
    case DatagramKind::ike:
      return udp_packet(d, sizes_of(d));
    case DatagramKind::icmp_error:
      return icmp_packet(d, sizes_of(d));
    default:
      return {};
  }
}

}  // namespace tunnelwatch::wire
