#include "probes/active/ike_probe.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

// Datagrams of strangers between probes of our own. Properties: an answer is told only for what begins with an SPI of
// ours, at most one for each request; and time always moves the machine on.
namespace {

using namespace std::chrono_literals;
using namespace tunnelwatch;

void check(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  active::IkeProbe probe(
      1, {.interval = std::chrono::milliseconds{2000}, .timeout = std::chrono::milliseconds{500}, .burst = 3});
  TimePoint now{1h};
  const IpAddress peer = *IpAddress::parse("192.0.2.1");
  probe.add_target(1, {.address = peer, .source = {}}, now);
  active::IkeProbeActions out;
  std::vector<active::IkeProbePacket> sent;
  std::size_t answered = 0;
  std::span<const std::uint8_t> input(data, size);
  while (input.size() >= 3) {
    const std::uint8_t what = input[0];
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    std::vector<std::uint8_t> bytes(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(2 + length);
    now += std::chrono::milliseconds{(what & 0x1f) * 50};
    if ((what & 0x20) != 0) probe.probe_now(1);
    probe.advance(now, out);
    sent.insert(sent.end(), out.packets.begin(), out.packets.end());
    out.clear();
    const std::uint16_t port = (what & 0x80) != 0 ? 4500 : 500;
    if ((what & 0x40) != 0 && !sent.empty()) {  // with the SPI of a request of ours in front
      const auto& packet = sent[sent.size() - 1 - length % std::min<std::size_t>(sent.size(), 4)];
      const std::size_t head = packet.port == 4500 ? 12 : 8;
      bytes.insert(bytes.begin(), packet.bytes.begin(), packet.bytes.begin() + static_cast<std::ptrdiff_t>(head));
    }
    probe.on_datagram(bytes, peer, port, now, out);
    check(out.observations.size() <= 1);
    if (!out.observations.empty()) check((what & 0x40) != 0 || bytes.size() >= 28);
    answered += out.observations.size();
    check(answered <= sent.size());
    out.clear();
    const auto next = probe.next_deadline();
    check(next && *next <= now + active::IkeProbe::kMaxBackoff * 2);
  }
  return 0;
}
