#include "agent/watch.h"
#include "probes/passive/packet_front.h"

#include <cstdlib>

// The tracker and the diagnosis fed with a train of whole datagrams: two bytes of pause, one of length and direction,
// then the message. Whatever comes, memory stays bounded and every message is counted once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  agent::Watch watch({.discovery = {}, .loss = {}, .offline = true});
  TimePoint now{};
  std::uint64_t fed = 0;
  wire::ByteReader r(wire::Bytes(data, size));
  while (r.left() >= 4) {
    now += std::chrono::milliseconds(r.u16() % 4000);
    const std::uint8_t how = r.u8();
    wire::Datagram d;
    d.kind = wire::DatagramKind::ike;
    d.source = IpAddress::v4(0xc0000200U + (how & 3U));
    d.destination = IpAddress::v4(0xc0000200U + ((how >> 2) & 3U));
    d.source_port = d.destination_port = (how & 16) != 0 ? 4500 : 500;
    d.ttl = (how & 32) != 0 ? 64 : 57;
    d.payload = r.take(std::min<std::size_t>(r.left(), std::size_t{r.u8()} * 2));
    watch.on_ike(d, now, (how & 64) != 0);
    ++fed;
    watch.advance(now);
  }
  watch.finish(now);
  const auto& c = watch.tracker().counters();
  if (c.messages + c.duplicates + c.own_probes + c.not_ike != fed) std::abort();
  if (watch.tunnels().size() > 256) std::abort();
  watch.report(WallClock::of_capture_file());
  return 0;
}
