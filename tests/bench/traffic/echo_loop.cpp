// The least that an echo can cost: requests in batches of sendmmsg, replies in batches of recvmmsg, each target once a
// second, spread over wake-ups of TICK ms. It counts, and keeps nothing.
// usage: echo_loop SECONDS TICK, with the targets' addresses on its input; prints what it sent and got and the CPU it
// took.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kPayload = 56;

struct Request {
  icmphdr header{};
  std::array<std::uint8_t, kPayload> payload{};
};

std::uint16_t checksum(const void* data, std::size_t size) {
  std::uint32_t sum = 0;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i + 1 < size; i += 2) sum += static_cast<std::uint32_t>(bytes[i] | bytes[i + 1] << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

class Loop {
 public:
  Loop(int fd, std::vector<sockaddr_in> targets, std::chrono::milliseconds tick)
      : fd_(fd), targets_(std::move(targets)), tick_(tick) {}

  void run(Clock::duration length) {
    const auto began = Clock::now();
    const auto gap = std::chrono::nanoseconds(1s) / targets_.size();
    std::uint64_t due = 0;  // requests so far
    for (auto now = began; now - began < length + 200ms; now = Clock::now()) {
      receive();
      const auto until = static_cast<std::uint64_t>(std::min<Clock::duration>(now - began, length) / gap);
      while (due < until) due += send(due, until);
      const auto next = began + ((now - began) / tick_ + 1) * tick_;
      wait(next);
    }
  }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }

 private:
  std::uint64_t send(std::uint64_t first, std::uint64_t last) {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<Request, kBatch> requests{};
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, last - first));
    for (std::size_t i = 0; i < count; ++i) {
      Request& r = requests[i];
      r.header.type = ICMP_ECHO;
      r.header.un.echo.id = htons(0x4e57);
      r.header.un.echo.sequence = htons(static_cast<std::uint16_t>(first + i));
      r.header.checksum = checksum(&r, sizeof r);
      parts[i] = {&r, sizeof r};
      messages[i].msg_hdr = {
          &targets_[(first + i) % targets_.size()], sizeof(sockaddr_in), &parts[i], 1, nullptr, 0, 0};
    }
    const int done = sendmmsg(fd_, messages.data(), static_cast<unsigned>(count), 0);
    if (done > 0) sent_ += static_cast<std::uint64_t>(done);
    return count;
  }

  void receive() {
    static std::array<std::array<std::uint8_t, 256>, kBatch> buffers;
    for (int count = kBatch; count == static_cast<int>(kBatch);) {
      std::array<mmsghdr, kBatch> messages{};
      std::array<iovec, kBatch> parts{};
      for (std::size_t i = 0; i < kBatch; ++i) {
        parts[i] = {buffers[i].data(), buffers[i].size()};
        messages[i].msg_hdr = {nullptr, 0, &parts[i], 1, nullptr, 0, 0};
      }
      count = recvmmsg(fd_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
      for (int i = 0; i < count; ++i) {
        const auto& bytes = buffers[static_cast<std::size_t>(i)];
        if (bytes[20] == ICMP_ECHOREPLY && bytes[24] == 0x4e && bytes[25] == 0x57) ++received_;
      }
    }
  }

  void wait(Clock::time_point until) {
    for (auto left = until - Clock::now(); left > 0ns; left = until - Clock::now()) {
      pollfd readable{fd_, POLLIN, 0};
      const auto ns = std::chrono::nanoseconds(left).count();
      const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
      if (ppoll(&readable, 1, &time, nullptr) > 0) receive();
    }
  }

  int fd_;
  std::vector<sockaddr_in> targets_;
  std::chrono::milliseconds tick_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  std::vector<sockaddr_in> targets;
  for (std::string line; std::getline(std::cin, line);) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    if (inet_pton(AF_INET, line.c_str(), &to.sin_addr) == 1) targets.push_back(to);
  }
  const std::chrono::milliseconds tick{argc == 3 ? std::atoi(argv[2]) : 0};
  if (tick <= 0ms || fd < 0 || targets.empty()) {
    std::fprintf(stderr, "usage: echo_loop SECONDS TICK < ADDRESSES (as root)\n");
    return 2;
  }
  const int room = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  Loop loop(fd, std::move(targets), tick);
  loop.run(std::chrono::seconds(std::atoi(argv[1])));
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  std::printf("%llu sent %llu received %.6f cpu\n", static_cast<unsigned long long>(loop.sent()),
              static_cast<unsigned long long>(loop.received()), seconds(used.ru_utime) + seconds(used.ru_stime));
  close(fd);
}
