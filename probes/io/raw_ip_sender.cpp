#include "probes/io/raw_ip_sender.h"

#include "probes/clock.h"
#include "probes/io/raw_open_error.h"
#include "probes/io/socket_message.h"

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tunnelwatch::io {

boost::system::result<std::unique_ptr<RawIpSender>, OpenError> RawIpSender::open(IpFamily family) {
  const bool v4 = family == IpFamily::v4;
  // This protocol means that the caller writes the IP header (raw(7), RFC 3542 section 3 for IPv6 by the same socket).
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd < 0) return raw_open_error("IP", "open", errno);
  const int probe = v4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
  const int failed = setsockopt(fd, v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                                &probe, sizeof probe);
  if (failed != 0) {
    const int error = errno;
    ::close(fd);
    return raw_open_error("IP", "set up", error);
  }
  return std::unique_ptr<RawIpSender>(new RawIpSender(fd));
}

RawIpSender::~RawIpSender() { ::close(descriptor_); }

RawIpSender::Sent RawIpSender::send(std::span<const std::uint8_t> packet, const IpAddress& to) {
  const sockaddr_storage name = to_sockaddr(to, 0);
  const Sent sent{steady_now(), RefusalReason::none};
  const ssize_t length = ::sendto(descriptor_, packet.data(), packet.size(), MSG_DONTWAIT,
                                  reinterpret_cast<const sockaddr*>(&name), sockaddr_size(to));
  return length >= 0 ? sent : Sent{sent.at, refusal_of_errno(errno)};
}

}  // namespace tunnelwatch::io
