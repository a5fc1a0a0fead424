#include "probes/passive/esp_streams.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

// Each 6 bytes are a packet of one of 64 streams in a table for eight, or a tick. Counters never go back, and no stream
// loses more than its numbers moved on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  passive::EspStreams streams({.streams = 8, .idle = std::chrono::seconds(2)}, 42);
  passive::EspSequence one;
  TimePoint now{std::chrono::seconds(1)};
  one.start(1, now);
  std::uint64_t packets = 1;
  std::vector<passive::EspStreamSummary> out;
  for (; size >= 6; data += 6, size -= 6) {
    now += std::chrono::milliseconds(data[1]);
    std::uint8_t esp[8] = {0, 0, 1, static_cast<std::uint8_t>(data[0] & 63), data[2], data[3], data[4], data[5]};
    wire::Datagram d;
    d.kind = wire::DatagramKind::esp;
    d.payload = esp;
    streams.on_packet(d, now);
    const std::uint64_t lost = one.lost();
    const std::uint32_t sequence =
        std::uint32_t{data[2]} << 24 | std::uint32_t{data[3]} << 16 | std::uint32_t{data[4]} << 8 | data[5];
    if (data[0] & 0x80) {
      one.on_packet_after_gap(sequence, now);
    } else {
      one.on_packet(sequence, now);
    }
    ++packets;
    if (data[0] & 0x40) {
      one.settle();
      out.clear();
      streams.collect(out);
      if (out.size() > 8) std::abort();
      streams.on_capture_gap(now);
    }
    if (one.lost() < lost || streams.size() > 8) std::abort();
    if (one.duplicates() + one.reordered() + one.out_of_window() > 2 * packets) std::abort();
  }
  out.clear();
  streams.collect_final(out);
  if (out.size() != streams.size()) std::abort();
  one.settle_all();
  return 0;
}
