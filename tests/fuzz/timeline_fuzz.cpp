#include "agent/timeline.h"
#include "agent/watch.h"

#include <algorithm>
#include <cstdlib>

// Trains of datagrams, of ESP summaries and of ICMP errors through the timeline: two bytes of pause, one of what and
// who, then the message. Whatever comes, what is remembered stays bounded, and no byte of a stranger's reaches the
// terminal as a control character.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  agent::Watch watch({.discovery = {}, .loss = {}, .offline = true});
  const auto write = [](std::string_view lines) {
    const auto is_control = [](char c) { return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f); };
    if (lines.empty() || lines.back() != '\n' || std::any_of(lines.begin(), lines.end(), is_control)) std::abort();
  };
  agent::Timeline timeline(watch, {.language = (size & 1) != 0 ? exporters::Language::zh : exporters::Language::en},
                           write);
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  wire::ByteReader r(wire::Bytes(data, size));
  while (r.left() >= 4) {
    now += std::chrono::milliseconds(r.u16() % 8000);
    const std::uint8_t how = r.u8();
    wire::Datagram d;
    d.kind = wire::DatagramKind::ike;
    d.source = IpAddress::v4(0xc0000200U + (how & 3U));
    d.destination = IpAddress::v4(0xc0000200U + ((how >> 2) & 3U));
    d.source_port = d.destination_port = (how & 16) != 0 ? 4500 : 500;
    d.ttl = (how & 32) != 0 ? 64 : 57;
    d.payload = r.take(std::min<std::size_t>(r.left(), std::size_t{r.u8()} * 2));
    timeline.advance(now);
    watch.advance(now);
    if ((how & 0xc0) == 0xc0) {
      passive::EspStreamSummary s;
      s.source = d.source;
      s.destination = d.destination;
      s.spi = 256U + static_cast<std::uint32_t>(d.payload.size());
      s.packets = static_cast<std::uint64_t>(how) + 1;
      s.first = s.last = now;
      timeline.on_esp(s);
    } else if ((how & 0xc0) == 0x80) {
      wire::Datagram quoted = d;
      std::swap(quoted.source, quoted.destination);
      d.icmp_type = how & 15;
      timeline.on_icmp_error(d, quoted, now);
    } else {
      timeline.on_ike(d, now, (how & 64) != 0);
    }
    watch.settle(now);
  }
  watch.finish(now);
  timeline.finish(now);
  if (timeline.remembered() > 2048) std::abort();
  return 0;
}
