#include "probes/io/conntrack_socket.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kBuffer = 64U << 10;

OpenError failure(const char* what_failed, int error) {
  OpenError failed{error, std::string("cannot ") + what_failed + " the connection tracking: " + std::strerror(error)};
  if (error == EPERM || error == EACCES) failed.sentence += " (it takes CAP_NET_ADMIN)";
  return failed;
}

}  // namespace

boost::system::result<std::unique_ptr<ConntrackSocket>, OpenError> ConntrackSocket::open() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
  if (fd < 0) return failure("ask for", errno);
  return std::unique_ptr<ConntrackSocket>(new ConntrackSocket(fd));
}

ConntrackSocket::~ConntrackSocket() { ::close(fd_); }

boost::system::result<void, OpenError> ConntrackSocket::ask(IpFamily family) {
  buffer_.resize(kBuffer);
  const auto request = host::build_conntrack_request(family, ++sequence_);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent =
      ::sendto(fd_, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  if (sent < 0) return failure("ask for", errno);
  return {};
}

boost::system::result<ConntrackSocket::Progress, OpenError> ConntrackSocket::go_on(
    const std::function<void(const host::TrackedFlow&)>& take) {
  for (int i = 0; i < kDatagramsEachCall; ++i) {
    sockaddr_nl from{};
    socklen_t size = sizeof from;
    const ssize_t received =
        ::recvfrom(fd_, buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Progress::more;
    if (received <= 0) return failure("read", received == 0 ? EIO : errno);
    if (from.nl_pid != 0) continue;  // a process may send here; the kernel alone has no port
    const auto answer = host::parse_conntrack({buffer_.data(), static_cast<std::size_t>(received)}, sequence_, take);
    if (answer.error != 0) return failure("read", answer.error);
    if (answer.malformed) return failure("understand", EBADMSG);
    if (answer.ended) return Progress::done;
  }
  return Progress::more;
}

}  // namespace tunnelwatch::io
