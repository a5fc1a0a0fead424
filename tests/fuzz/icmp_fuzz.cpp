#include "probes/observation.h"
#include "probes/wire/frame.h"
#include "probes/wire/icmp.h"
#include "probes/wire/ip_packet.h"
#include "tests/fuzz/check.h"

#include <cstdint>

namespace {

using namespace tunnelwatch;
using fuzz::check;
using fuzz::must_lie_inside;

// What was decoded is written as a packet that decodes to the same.
void must_come_back(const wire::Datagram& d) {
  const auto packet = wire::ip_packet_of(d);
  const auto again = wire::decode_frame(wire::LinkType::raw_ip, packet.bytes, packet.wire_length);
  check(again && again->kind == d.kind && again->source == d.source && again->destination == d.destination);
  check(again->source_port == d.source_port && again->destination_port == d.destination_port && again->ttl == d.ttl);
  check(again->icmp_type == d.icmp_type && again->icmp_code == d.icmp_code && again->next_hop_mtu == d.next_hop_mtu);
  check(again->payload.size() == d.payload.size() && again->cut == d.cut);
  check(std::equal(d.payload.begin(), d.payload.end(), again->payload.begin()));
}

}  // namespace

// One byte chooses the version of IP; the rest is an ICMP message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const wire::Bytes message(data + 1, size - 1);
  const bool v4 = (data[0] & 1) == 0;
  wire::Datagram d;
  d.source = *IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1");
  d.destination = *IpAddress::parse(v4 ? "192.0.2.2" : "2001:db8::2");
  d.ip_protocol = v4 ? 1 : 58;
  d.ttl = data[0];
  d.payload = message;
  d.wire_length = static_cast<std::uint32_t>(message.size() + (v4 ? 20 : 40));
  if (wire::parse_icmp(d)) return 0;
  must_lie_inside(d.payload, message);
  if (d.kind != wire::DatagramKind::icmp_error) return 0;
  check(!to_string(refusal_of_icmp(d.source.family(), d.icmp_type, d.icmp_code)).empty());
  must_come_back(d);
  const auto quoted = wire::decode_quoted(d.payload);
  if (!quoted) return 0;
  must_lie_inside(quoted->payload, d.payload);
  if (quoted->kind == wire::DatagramKind::ike && !quoted->more_fragments) {
    const auto packet = wire::ip_packet_of(*quoted);
    check(packet.bytes.empty() || packet.bytes.size() >= quoted->payload.size());
    check(packet.wire_length >= packet.bytes.size() && packet.wire_length <= 65535);
  }
  return 0;
}
