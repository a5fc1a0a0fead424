// Writes the captures that the benchmark reads, the same bytes each time for the same arguments.
// usage: tunnelwatch_bench_make_capture ike FILE MESSAGES PEERS SEED
//        tunnelwatch_bench_make_capture esp FILE PACKETS TUNNELS SNAP SEED
#include "tests/bench/traffic/frames.h"
#include "tests/bench/traffic/ike_life.h"
#include "tests/bench/traffic/pcap_writer.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <random>

namespace tunnelwatch::bench {
namespace {

constexpr std::int64_t kBegin = 1'750'000'000LL * 1'000'000'000;

void add_ike(PcapWriter& file, std::uint32_t peer, const IkeMessage& m, std::uint16_t id) {
  for (const Buffer& frame : frames_of(peer, m, id)) file.add(m.at, frame);
}

struct Speaker {
  IkeLife life;
  std::vector<IkeMessage> messages;
  std::size_t next = 0;
};

void make_ike(const char* path, std::uint64_t messages, std::uint32_t peers, std::uint64_t seed) {
  PcapWriter file(path);
  std::mt19937_64 random(seed);
  std::vector<Speaker> speakers;
  using Turn = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (std::uint32_t peer = 0; peer < peers; ++peer) {
    speakers.push_back({IkeLife(random()), {}, 0});
    // All of a gateway's peers do not begin at once.
    speakers[peer].messages = speakers[peer].life.next(kBegin + static_cast<std::int64_t>(random() % 60'000'000'000));
    turns.emplace(speakers[peer].messages.front().at, peer);
  }
  for (std::uint64_t written = 0; written < messages; ++written) {
    const std::uint32_t peer = turns.top().second;
    turns.pop();
    Speaker& s = speakers[peer];
    add_ike(file, peer, s.messages[s.next], static_cast<std::uint16_t>(written));
    if (++s.next == s.messages.size()) {
      s.messages = s.life.next(s.messages.back().at + static_cast<std::int64_t>(1 + random() % 10) * 1'000'000'000);
      s.next = 0;
    }
    turns.emplace(s.messages[s.next].at, peer);
  }
}

// Each tunnel is negotiated, then its ESP follows, one packet in a thousand lost, one in a thousand late.
void make_esp(const char* path, std::uint64_t packets, std::uint32_t tunnels, std::uint32_t snap, std::uint64_t seed) {
  PcapWriter file(path);
  std::mt19937_64 random(seed);
  std::vector<EspStream> streams;
  for (std::uint32_t i = 0; i < 2 * tunnels; ++i) streams.emplace_back(i);
  const Buffer cipher(kMtu, 0xa5);
  std::int64_t at = kBegin;
  for (std::uint32_t tunnel = 0; tunnel < tunnels; ++tunnel) {
    for (const IkeMessage& m : IkeLife(random()).negotiation(at)) {
      add_ike(file, tunnel, m, static_cast<std::uint16_t>(tunnel));
      at = m.at;
    }
  }
  for (std::uint64_t i = 0; i < packets; ++i) {
    EspStream& stream = streams[random() % streams.size()];
    const std::uint64_t dice = random();
    std::uint32_t sequence = ++stream.sequence;
    if (dice % 1000 == 0) sequence = ++stream.sequence;
    if (dice % 1000 == 1 && sequence > 3) sequence -= 2;
    const std::size_t size = EspStream::size_of(dice >> 32);
    Buffer frame = stream.headers(size, sequence);
    const std::size_t kept = std::min<std::size_t>(kEthernetHeader + size, snap);
    frame.insert(frame.end(), cipher.begin(), cipher.begin() + static_cast<std::ptrdiff_t>(kept - frame.size()));
    file.add(at, frame, kEthernetHeader + size);
    at += 3'333;  // 300,000 a second
  }
}

int usage() {
  std::fprintf(stderr,
               "usage: tunnelwatch_bench_make_capture ike FILE MESSAGES PEERS SEED\n"
               "       tunnelwatch_bench_make_capture esp FILE PACKETS TUNNELS SNAP SEED\n");
  return 2;
}

}  // namespace
}  // namespace tunnelwatch::bench

int main(int argc, char** argv) {
  using namespace tunnelwatch::bench;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const auto small = [&](int i) { return static_cast<std::uint32_t>(number(i)); };
  if (argc == 6 && std::strcmp(argv[1], "ike") == 0 && small(4) > 0) {
    make_ike(argv[2], number(3), small(4), number(5));
  } else if (argc == 7 && std::strcmp(argv[1], "esp") == 0 && small(4) > 0 && small(5) >= 64) {
    make_esp(argv[2], number(3), small(4), small(5), number(6));
  } else {
    return usage();
  }
  return 0;
}
