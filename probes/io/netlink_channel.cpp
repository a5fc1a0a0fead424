#include "probes/io/netlink_channel.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/netlink.h>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kBuffer = 64U << 10;

OpenError failure_of(const NetlinkChannel::Kind& kind, const char* what_failed, int error) {
  return {error, std::string("cannot ") + what_failed + " " + kind.what + ": " + std::strerror(error)};
}

int open_socket(int protocol, unsigned groups, bool blocks) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK), protocol);
  if (fd < 0) return -1;
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = groups;
  // The kernel answers at once; whatever keeps it must not keep us.
  const timeval patience{0, 200'000};
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
    return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// A process may send to another's socket; the kernel alone has no port.
ssize_t receive(int fd, std::vector<std::uint8_t>& buffer, int flags, bool& by_kernel) {
  sockaddr_nl from{};
  socklen_t size = sizeof from;
  const ssize_t received =
      ::recvfrom(fd, buffer.data(), buffer.size(), flags, reinterpret_cast<sockaddr*>(&from), &size);
  by_kernel = from.nl_pid == 0;
  return received;
}

}  // namespace

boost::system::result<std::unique_ptr<NetlinkChannel>, OpenError> NetlinkChannel::open(const Kind& kind) {
  const int requests = open_socket(kind.protocol, 0, true);
  if (requests < 0) return failure_of(kind, "ask for", errno);
  const int events = open_socket(kind.protocol, kind.groups, false);
  if (events < 0) {
    const int error = errno;
    ::close(requests);
    return failure_of(kind, "follow", error);
  }
  return std::unique_ptr<NetlinkChannel>(new NetlinkChannel(kind, requests, events));
}

NetlinkChannel::~NetlinkChannel() {
  if (requests_ >= 0) ::close(requests_);
  ::close(events_);
}

OpenError NetlinkChannel::failure(const char* what_failed, int error) const {
  return failure_of(kind_, what_failed, error);
}

void NetlinkChannel::wipe(std::size_t size) {
  if (kind_.holds_keys) explicit_bzero(buffer_.data(), size);
}

host::NetlinkAnswer NetlinkChannel::ask(const std::vector<std::uint8_t>& request, bool dump, const Read& read) {
  host::NetlinkAnswer answer;
  buffer_.resize(kBuffer);
  if (::send(requests_, request.data(), request.size(), 0) < 0) {
    answer.error = errno;
    return answer;
  }
  for (std::size_t bytes = 0; bytes < kind_.most_bytes;) {
    bool by_kernel = false;
    const ssize_t received = receive(requests_, buffer_, 0, by_kernel);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) {
      answer.error = received == 0 ? EIO : errno;
      return answer;
    }
    const auto size = static_cast<std::size_t>(received);
    bytes += size;
    if (!by_kernel) continue;
    const std::size_t before = answer.messages;
    answer = read({buffer_.data(), size});
    wipe(size);
    answer.messages += before;
    if (answer.ended || answer.malformed || (!dump && answer.messages != 0)) return answer;
  }
  return answer;
}

void NetlinkChannel::start_over() {
  if (requests_ >= 0) ::close(requests_);
  requests_ = open_socket(kind_.protocol, 0, true);
}

bool NetlinkChannel::take_events(const std::function<void(wire::Bytes datagram)>& take) {
  buffer_.resize(kBuffer);
  bool any = false;
  for (int i = 0; i < kMostEvents; ++i) {
    bool by_kernel = false;
    const ssize_t received = receive(events_, buffer_, MSG_DONTWAIT, by_kernel);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno != ENOBUFS) break;  // ENOBUFS: some were lost, and so something changed
    if (received > 0 && !by_kernel) continue;
    any = true;
    if (received <= 0) continue;
    take({buffer_.data(), static_cast<std::size_t>(received)});
    wipe(static_cast<std::size_t>(received));
  }
  return any;
}

}  // namespace tunnelwatch::io
