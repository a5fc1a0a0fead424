// Delays, loses, duplicates and reorders what the router forwards, the same way each time for the same seed: reads
// packets from a TUN device and writes each back when its time has come.
// usage: relay DEVICE SEED DELAY_MS JITTER_MS LOSS_PERCENT DUPLICATE_PERCENT REORDER_PERCENT
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <net/if.h>
#include <poll.h>
#include <random>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

#include <linux/if_tun.h>

namespace {

using Clock = std::chrono::steady_clock;
using Packet = std::vector<char>;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kQueueLimit = 20000;  // packets on their way; a flood is lost, not stored
constexpr double kReorderHoldMs = 5;        // how much longer a reordered packet is held than the others

int open_tun(const char* name) {
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
    std::perror("relay: /dev/net/tun");
    std::exit(1);
  }
  return fd;
}

class Relay {
 public:
  Relay(int fd, char** values)
      : fd_(fd),
        random_(std::strtoull(values[0], nullptr, 10)),
        delay_(std::atof(values[1])),
        jitter_(std::atof(values[2])),
        loss_(std::atof(values[3]) / 100),
        duplicate_(std::atof(values[4]) / 100),
        reorder_(std::atof(values[5]) / 100) {}

  [[noreturn]] void run() {
    for (;;) {
      pollfd readable{fd_, POLLIN, 0};
      const timespec wait = until_next();
      ppoll(&readable, 1, queue_.empty() ? nullptr : &wait, nullptr);
      accept();
      deliver();
    }
  }

 private:
  void accept() {
    std::array<char, 65536> buffer{};
    for (ssize_t n = read(fd_, buffer.data(), buffer.size()); n > 0; n = read(fd_, buffer.data(), buffer.size())) {
      // All numbers are drawn for every packet, so that one option changes nothing for the others.
      const bool lost = chance() < loss_;
      const bool twice = chance() < duplicate_;
      const double hold = chance() < reorder_ ? kReorderHoldMs : 0;
      const double spread = (chance() * 2 - 1) * jitter_;
      if (lost || queue_.size() >= kQueueLimit) continue;
      Clock::time_point due =
          Clock::now() + std::chrono::duration_cast<Clock::duration>(Milliseconds(std::max(0.0, delay_ + spread)));
      // Jitter alone keeps the order, as a queue in a real path does.
      due = last_due_ = std::max(due, last_due_);
      due += std::chrono::duration_cast<Clock::duration>(Milliseconds(hold));
      const Packet packet(buffer.data(), buffer.data() + n);
      queue_.emplace(due, packet);
      if (twice) queue_.emplace(due, packet);
    }
  }

  void deliver() {
    const auto now = Clock::now();
    while (!queue_.empty() && queue_.begin()->first <= now) {
      const Packet& packet = queue_.begin()->second;
      if (write(fd_, packet.data(), packet.size()) < 0) std::perror("relay: write");
      queue_.erase(queue_.begin());
    }
  }

  timespec until_next() const {
    if (queue_.empty()) return {};
    const auto left = std::max(Clock::duration::zero(), queue_.begin()->first - Clock::now());
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  }

  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  int fd_;
  std::mt19937_64 random_;
  double delay_, jitter_, loss_, duplicate_, reorder_;
  Clock::time_point last_due_{};
  std::multimap<Clock::time_point, Packet> queue_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr,
                 "usage: relay DEVICE SEED DELAY_MS JITTER_MS LOSS_PERCENT DUPLICATE_PERCENT REORDER_PERCENT\n");
    return 2;
  }
  Relay(open_tun(argv[1]), argv + 2).run();
}
