#include "probes/passive/bgp_sessions.h"
#include "probes/wire/bgp.h"

#include <cstdint>
#include <cstdlib>

// The input as one BGP message, and as a train of TCP segments between a few ports: one byte says which and how many
// bytes follow. No connection accepts or refuses twice in one direction, and none outgrows its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  const wire::Bytes all(data, size);
  if (const auto header = wire::parse_bgp_header(all); header && header->length > wire::kBgpMaxMessage) std::abort();
  if (const auto open = wire::parse_bgp_open(all); open && !open->four_octets && open->as_number > 0xffff) std::abort();
  static_cast<void>(wire::parse_bgp_notification(all));
  static_cast<void>(wire::parse_tcp(all));

  passive::BgpSessions sessions;
  std::vector<passive::BgpObservation> out;
  TimePoint now{};
  std::uint64_t packets = 0;
  wire::ByteReader r(all);
  while (r.left() > 2) {
    const std::uint8_t how = r.u8();
    wire::Datagram d;
    d.ip_protocol = 6;
    d.source = IpAddress::v4(0x0a000001U + (how & 1U));
    d.destination = IpAddress::v4(0x0a000001U + (how >> 1 & 1U));
    d.cut = (how & 4) != 0;
    d.payload = r.take(std::min<std::size_t>(r.left(), r.u8()));
    now += std::chrono::milliseconds(1);
    ++packets;
    const std::size_t before = out.size();
    sessions.on_packet(d, now, out);
    if (out.size() - before > 255 / wire::kBgpHeaderSize + wire::kBgpMaxMessage / wire::kBgpHeaderSize) std::abort();
    for (std::size_t i = before; i < out.size(); ++i) {
      if (out[i].speaker != d.source || out[i].other != d.destination) std::abort();
      // Whatever accepts or refuses is the last that a direction says.
      if (i + 1 < out.size() && out[i].sight != passive::BgpSight::open) std::abort();
    }
    if (sessions.size() > passive::BgpSessions::kConnections) std::abort();
  }
  if (sessions.counters().connections > packets) std::abort();
  return 0;
}
