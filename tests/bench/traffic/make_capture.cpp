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

constexpr std::uint32_t kGateway = 0xc000020a;  // 192.0.2.10
constexpr std::uint32_t kPeers = 0xc6120000;    // 198.18.0.0/15
constexpr std::int64_t kBegin = 1'750'000'000LL * 1'000'000'000;

Ends ends_of(std::uint32_t peer, bool by_gateway) {
  const std::uint32_t remote = kPeers + 1 + peer;
  return by_gateway ? Ends{kGateway, remote, 64} : Ends{remote, kGateway, 57};
}

// One IKE message as the packets that carry it.
void add_ike(PcapWriter& file, std::uint32_t peer, const IkeMessage& m, std::uint16_t id) {
  Buffer datagram;
  const std::size_t marker = m.port == 4500 ? 4 : 0;
  put_udp(datagram, m.port, m.port, marker + m.bytes.size());
  datagram.resize(datagram.size() + marker);
  datagram.insert(datagram.end(), m.bytes.begin(), m.bytes.end());
  constexpr std::size_t kPiece = (kMtu - kIpHeader) / 8 * 8;
  for (std::size_t from = 0; from < datagram.size(); from += kPiece) {
    const std::size_t length = std::min(kPiece, datagram.size() - from);
    const bool more = from + length < datagram.size();
    const auto word = static_cast<std::uint16_t>(from / 8 | (more ? 0x2000U : 0U));
    Buffer frame = begin_frame(ends_of(peer, m.by_gateway), 17, length, id, word);
    frame.insert(frame.end(), datagram.begin() + static_cast<std::ptrdiff_t>(from),
                 datagram.begin() + static_cast<std::ptrdiff_t>(from + length));
    file.add(m.at, frame);
  }
}

struct Speaker {
  IkeLife life;
  std::vector<IkeMessage> messages;
  std::size_t next = 0;
};

void make_ike(const char* path, std::uint64_t messages, std::uint32_t peers, std::uint64_t seed) {
  PcapWriter file(path, 262144);
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

// Two SPIs a tunnel; every second tunnel travels in UDP. Sizes as gateways see them: many short, many full, some
// between. One packet in a thousand is lost, one in a thousand late.
void make_esp(const char* path, std::uint64_t packets, std::uint32_t tunnels, std::uint32_t snap, std::uint64_t seed) {
  PcapWriter file(path, snap);
  std::mt19937_64 random(seed);
  std::vector<std::uint32_t> sequences(2 * tunnels);
  const Buffer cipher(1500, 0xa5);
  std::int64_t at = kBegin;
  for (std::uint64_t i = 0; i < packets; ++i) {
    const auto stream = static_cast<std::uint32_t>(random() % sequences.size());
    const std::uint32_t tunnel = stream / 2;
    const bool by_gateway = stream % 2 == 0;
    const bool in_udp = tunnel % 2 == 1;
    const std::uint64_t dice = random();
    std::uint32_t sequence = ++sequences[stream];
    if (dice % 1000 == 0) sequence = ++sequences[stream];
    if (dice % 1000 == 1 && sequence > 3) sequence -= 2;
    const std::size_t size = dice >> 32 & 1 ? 1400 : dice >> 33 & 1 ? 100 : 100 + (dice >> 40) % 1300;
    const std::size_t length = size - kIpHeader;
    Buffer frame = begin_frame(ends_of(tunnel, by_gateway), in_udp ? 17 : 50, length, static_cast<std::uint16_t>(i));
    if (in_udp) put_udp(frame, 4500, 4500, length - kUdpHeader);
    put(frame, 0xc0000000 + stream * 65537, 4);
    put(frame, sequence, 4);
    const std::size_t whole = kEthernetHeader + size;
    const std::size_t kept = std::min<std::size_t>(whole, snap);
    if (kept > frame.size()) {
      frame.insert(frame.end(), cipher.begin(), cipher.begin() + static_cast<std::ptrdiff_t>(kept - frame.size()));
    }
    file.add(at, frame, whole);
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
