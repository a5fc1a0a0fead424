#include "probes/wire/pcapng.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace tunnelwatch::wire;
using What = PcapngStep::What;

struct Outcome {
  std::vector<std::ptrdiff_t> packets;  // where each begins, how long it is, and what was said of it
  bool failed = false;
  std::size_t end = 0;

  bool operator==(const Outcome&) const = default;
};

void must(bool condition) {
  if (!condition) std::abort();
}

void note(Outcome& outcome, const PcapngPacket& packet, Bytes block, Bytes file) {
  must(packet.bytes.empty() || (packet.bytes.data() >= block.data() &&
                                packet.bytes.data() + packet.bytes.size() <= block.data() + block.size()));
  must(!packet.at || (packet.at->count() >= 0 && packet.at->count() < 7'258'118'400'000'000'000));
  outcome.packets.push_back(packet.bytes.empty() ? 0 : packet.bytes.data() - file.data());
  outcome.packets.push_back(static_cast<std::ptrdiff_t>(packet.bytes.size()));
  outcome.packets.push_back(packet.at ? packet.at->count() : -1);
  outcome.packets.push_back(static_cast<std::ptrdiff_t>(packet.link));
  outcome.packets.push_back(static_cast<std::ptrdiff_t>(packet.direction));
}

// The whole file with at least `at_hand` bytes of it at hand wherever there are so many, or as many as are asked for.
Outcome read(Bytes file, std::size_t at_hand) {
  Outcome outcome;
  PcapngParser parser;
  std::size_t ahead = 0;
  while (outcome.end < file.size()) {
    const std::size_t left = file.size() - outcome.end;
    ahead = std::min(std::max(ahead, at_hand), left);
    const Bytes window = file.subspan(outcome.end, ahead);
    const PcapngStep step = parser.step(window);
    if (step.what == What::error) {
      outcome.failed = true;
      return outcome;
    }
    if (step.what == What::more) {
      must(step.bytes > ahead && step.bytes <= kMaxPcapngBlock);
      if (step.bytes > left) return outcome;
      ahead = step.bytes;
      continue;
    }
    must(step.bytes >= 12);
    if (step.what == What::packet) {
      must(parser.in_section() && step.bytes <= ahead);
      note(outcome, step.packet, window.first(step.bytes), file);
    }
    if (step.bytes > left) return outcome;
    outcome.end += step.bytes;
    ahead = 0;
  }
  return outcome;
}

}  // namespace

// A file gives the same packets however much of it is at hand at a time; packets lie in their blocks; it ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes file(data, size);
  const Outcome piecemeal = read(file, 0);
  must(piecemeal == read(file, 100));
  must(piecemeal == read(file, size));
  return 0;
}
