#include "agent/recording/packet_ring.h"
#include "agent/recording/recording.h"
#include "probes/wire/pcap.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>

// The flight recorder's pure part: four bytes are a packet, or new limits; the bounds hold after each, and a recording
// is never larger than they say. The whole input is a tunnel's name, which always gives a name of ours.
namespace {

using namespace tunnelwatch;
using agent::PacketRing;
using fuzz::check;

void check_names(const std::string& text) {
  const auto name = agent::recording_name(text, WallTime{std::chrono::hours(500'000)}, "dpd_timeout");
  check(agent::time_of_recording(name).size() == 16 && name.size() < 200);
  check(name.find('/') == std::string::npos && name.front() != '.');
  const auto time = agent::time_of_recording(text);
  check(time.empty() || text.find('/') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_names({reinterpret_cast<const char*>(data), size});
  PacketRing::Limits limits{.packets = 8, .bytes = 4000, .tunnel_memory = 20'000, .stranger_memory = 5'000};
  PacketRing ring(limits);
  wire::ByteReader r(wire::Bytes(data, size));
  TimePoint now{std::chrono::hours(1)};
  while (r.left() >= 4) {
    const unsigned what = r.u8();
    const unsigned pair = r.u8();
    const unsigned bytes = r.u8() * 20U;
    now += std::chrono::milliseconds(r.u8()) - std::chrono::milliseconds(60);
    const IpAddress a = IpAddress::v4(0x0a000000U + pair % 16);
    const IpAddress b = IpAddress::v4(0x0a000100U + pair / 16);
    if (what < 4) {
      limits.packets = 1 + what;
      limits.bytes = 24 + bytes;
      limits.tunnel_memory = 4U * bytes;
      limits.stranger_memory = bytes;
      ring.set_limits(limits);
    } else if (what == 4) {
      ring.clear();
      check(ring.memory() == 0);
    } else {
      wire::IpPacket packet{std::vector<std::uint8_t>(bytes, 0x45), bytes};
      ring.add(a, b, {now, std::move(packet), (what & 2) != 0}, (what & 1) != 0);
    }
    check(ring.memory() <= limits.tunnel_memory + limits.stranger_memory);
    if (what < 5) continue;
    const auto kept = ring.between(b, a);
    check(kept.size() <= limits.packets);
    check(std::is_sorted(kept.begin(), kept.end(), [](const auto* x, const auto* y) { return x->at < y->at; }));
    const auto file = agent::recording_bytes(kept, WallClock::of_capture_file());
    check(file.size() <= wire::kPcapHeaderSize + limits.bytes);
    check(ring.with(a).size() >= kept.size());
  }
  return 0;
}
