// Sends packets from a raw socket at an even pace: what a gateway would see on its line.
// usage: tunnelwatch_bench_send_packets INTERFACE SECONDS ESP_RATE TUNNELS FLOOD_RATE LIVE_RATE SEED
// ESP_RATE: ESP packets a second over TUNNELS tunnels. FLOOD_RATE: forged first messages of IKE a second, each from
// another address. LIVE_RATE: tunnel 0 is negotiated, its liveness asked and answered each second, and so much ESP goes
// both ways. Prints what was sent, how long it took, and the worst delay of a millisecond's packets in milliseconds:
// "sent ESP FLOOD LIVE in SECONDS late MILLISECONDS".
#include "tests/bench/traffic/frames.h"
#include "tests/bench/traffic/ike_life.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <net/if.h>
#include <random>
#include <sys/socket.h>

#include <linux/if_packet.h>

namespace tunnelwatch::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStep = kSecond / 1000;

std::int64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

void sleep_until(std::int64_t at) {
  const timespec t{at / kSecond, at % kSecond};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Frames to be sent together with one call.
class Line {
 public:
  explicit Line(const char* interface) : fd_(socket(AF_PACKET, SOCK_RAW, 0)) {
    if (fd_ < 0) fail("packet socket");
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    const int on = 1;
    setsockopt(fd_, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail(interface);
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {slots_[i].data(), 0};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // `headers` with ciphertext behind, up to `length` bytes.
  void add(const Buffer& headers, std::size_t length) {
    std::copy(headers.begin(), headers.end(), slots_[filled_].begin());
    parts_[filled_].iov_len = length;
    if (++filled_ == kBatch) flush();
  }
  void flush() {
    for (std::size_t sent = 0; sent < filled_;) {
      const int n = sendmmsg(fd_, &messages_[sent], static_cast<unsigned>(filled_ - sent), 0);
      if (n <= 0) fail("send");
      sent += static_cast<std::size_t>(n);
    }
    filled_ = 0;
  }

 private:
  static constexpr std::size_t kBatch = 64;
  int fd_;
  std::size_t filled_ = 0;
  std::array<std::array<std::uint8_t, 2048>, kBatch> slots_{};
  std::array<iovec, kBatch> parts_{};
  std::array<mmsghdr, kBatch> messages_{};
};

// Turns a rate into how many are due by now.
struct Pace {
  std::uint64_t rate = 0;
  std::uint64_t sent = 0;
  std::uint64_t due(std::int64_t passed) const {
    const auto target = static_cast<std::uint64_t>(passed / kStep) * rate / 1000;
    return target > sent ? target - sent : 0;
  }
};

class Traffic {
 public:
  Traffic(const char* interface, std::uint64_t esp, std::uint32_t tunnels, std::uint64_t flood, std::uint64_t live,
          std::uint64_t seed)
      : line_(interface), random_(seed), life_(random_()), esp_{esp}, flood_{flood}, live_{live} {
    for (std::uint32_t i = 0; i < 2 * tunnels; ++i) streams_.emplace_back(i);
    forged_ = life_.initiation();
    if (live_.rate != 0) tell(life_.negotiation(0));
  }

  void run(double seconds) {
    const std::int64_t begin = now();
    const std::int64_t end = begin + static_cast<std::int64_t>(seconds * 1e9);
    std::int64_t next_liveness = begin + kSecond;
    for (std::int64_t step = begin + kStep; step <= end; step += kStep) {
      sleep_until(step);
      late_ = std::max(late_, now() - step);
      const std::int64_t passed = step - begin;  // what could not be sent in time is sent late
      for (auto n = esp_.due(passed); n > 0; --n) send_esp(streams_[esp_.sent++ % streams_.size()]);
      for (auto n = flood_.due(passed); n > 0; --n) send_forged();
      for (auto n = live_.due(passed); n > 0; --n) send_esp(streams_[live_.sent++ % 2]);
      if (live_.rate != 0 && begin + passed >= next_liveness) {
        tell(life_.liveness(0));
        next_liveness += kSecond;
      }
      line_.flush();
    }
    std::printf("sent %" PRIu64 " %" PRIu64 " %" PRIu64 " in %.3f late %.1f\n", esp_.sent, flood_.sent, live_.sent,
                static_cast<double>(now() - begin) / 1e9, static_cast<double>(late_) / 1e6);
  }

 private:
  void tell(const std::vector<IkeMessage>& messages) {
    for (const IkeMessage& m : messages) {
      for (const Buffer& frame : frames_of(0, m, 0)) line_.add(frame, frame.size());
    }
    line_.flush();
  }

  void send_esp(EspStream& stream) {
    const std::size_t size = EspStream::size_of(random_());
    line_.add(stream.headers(size, ++stream.sequence), kEthernetHeader + size);
  }

  void send_forged() {
    const std::uint64_t spi = random_();
    const auto from = static_cast<std::uint32_t>(random_());
    Buffer frame = begin_frame({from, kGateway, 50}, 17, kUdpHeader + forged_.size(), static_cast<std::uint16_t>(spi));
    put_udp(frame, 500, 500, forged_.size());
    const std::size_t message = frame.size();
    frame.insert(frame.end(), forged_.begin(), forged_.end());
    for (std::size_t i = 0; i < 8; ++i) frame[message + i] = static_cast<std::uint8_t>(spi >> (8 * i));
    line_.add(frame, frame.size());
    ++flood_.sent;
  }

  Line line_;
  std::mt19937_64 random_;
  IkeLife life_;
  Pace esp_;
  Pace flood_;
  Pace live_;
  std::vector<EspStream> streams_;
  Buffer forged_;
  std::int64_t late_ = 0;
};

}  // namespace
}  // namespace tunnelwatch::bench

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(
        stderr, "usage: tunnelwatch_bench_send_packets INTERFACE SECONDS ESP_RATE TUNNELS FLOOD_RATE LIVE_RATE SEED\n");
    return 2;
  }
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const auto tunnels = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(number(4)));
  auto traffic =
      std::make_unique<tunnelwatch::bench::Traffic>(argv[1], number(3), tunnels, number(5), number(6), number(7));
  traffic->run(std::strtod(argv[2], nullptr));
  return 0;
}
