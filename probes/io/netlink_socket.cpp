#include "probes/io/netlink_socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kBuffer = 64U << 10;
constexpr std::size_t kMostBytes = 4U << 20;  // of one table; a full table of the internet is not read to its end

OpenError failure(const char* what, int error) {
  return {error, std::string("cannot ") + what + " the kernel's tables: " + std::strerror(error)};
}

int open_socket(unsigned groups, bool blocks) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK), NETLINK_ROUTE);
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

}  // namespace

boost::system::result<std::unique_ptr<NetlinkSocket>, OpenError> NetlinkSocket::open() {
  constexpr unsigned kGroups =
      RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  const int requests = open_socket(0, true);
  if (requests < 0) return failure("ask for", errno);
  const int events = open_socket(kGroups, false);
  if (events < 0) {
    const int error = errno;
    ::close(requests);
    return failure("follow", error);
  }
  return std::unique_ptr<NetlinkSocket>(new NetlinkSocket(requests, events));
}

NetlinkSocket::~NetlinkSocket() {
  if (requests_ >= 0) ::close(requests_);
  ::close(events_);
}

host::NetlinkAnswer NetlinkSocket::ask(const std::vector<std::uint8_t>& request, bool dump, host::KernelView& view) {
  host::NetlinkAnswer answer;
  buffer_.resize(kBuffer);
  if (::send(requests_, request.data(), request.size(), 0) < 0) {
    answer.error = errno;
    return answer;
  }
  for (std::size_t bytes = 0; bytes < kMostBytes;) {
    const ssize_t size = ::recv(requests_, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      answer.error = size == 0 ? EIO : errno;
      return answer;
    }
    bytes += static_cast<std::size_t>(size);
    const std::size_t before = answer.messages;
    answer = host::parse_netlink({buffer_.data(), static_cast<std::size_t>(size)}, sequence_, view);
    answer.messages += before;
    if (answer.ended || answer.malformed || (!dump && answer.messages != 0)) return answer;
  }
  view.complete = false;
  return answer;
}

// What was not read to its end keeps the socket busy.
void NetlinkSocket::start_over() {
  if (requests_ >= 0) ::close(requests_);
  requests_ = open_socket(0, true);
}

boost::system::result<host::KernelView, OpenError> NetlinkSocket::read() {
  host::KernelView view;
  view.complete = true;
  using host::KernelTable;
  for (const auto table : {KernelTable::links, KernelTable::addresses, KernelTable::routes, KernelTable::neighbours}) {
    const auto answer = ask(host::build_dump_request(table, ++sequence_), true, view);
    if (!answer.ended) start_over();
    if (answer.error != 0) return failure("read", answer.error);
    if (answer.malformed) return failure("understand", EBADMSG);
  }
  return view;
}

void NetlinkSocket::add_ways(std::span<const IpAddress> destinations, host::KernelView& view) {
  for (const IpAddress& destination : destinations) {
    host::KernelView found;
    const auto answer = ask(host::build_way_request(destination, ++sequence_), false, found);
    // What no route at all, and a blackhole, an unreachable or a prohibited one answer.
    const bool nowhere =
        answer.error == ENETUNREACH || answer.error == EHOSTUNREACH || answer.error == EINVAL || answer.error == EACCES;
    if (!found.routes.empty()) {
      view.ways[destination] = found.routes.front();
    } else if (nowhere) {
      view.ways[destination] = host::KernelRoute{};
    } else {
      start_over();
    }
  }
}

bool NetlinkSocket::changed() {
  constexpr int kMost = 1024;
  buffer_.resize(kBuffer);
  bool any = false;
  for (int i = 0; i < kMost; ++i) {
    const ssize_t size = ::recv(events_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != ENOBUFS) break;  // ENOBUFS: some were lost, and so something changed
    any = true;
  }
  return any;
}

}  // namespace tunnelwatch::io
