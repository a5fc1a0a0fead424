#include "probes/io/local_addresses.h"

#include <cstring>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tunnelwatch::io {

namespace {

std::optional<IpAddress> address_of(const sockaddr_storage& s) {
  if (s.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &s, sizeof in);
    return IpAddress::v4(ntohl(in.sin_addr.s_addr));
  }
  if (s.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &s, sizeof in);
    return IpAddress::v6(std::span<const std::uint8_t, 16>(in.sin6_addr.s6_addr, 16));
  }
  return std::nullopt;
}

socklen_t fill(sockaddr_storage& s, const IpAddress& address) {
  constexpr std::uint16_t kAnyPort = 500;  // a UDP connect sends nothing
  if (address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(kAnyPort);
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    std::memcpy(&s, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(kAnyPort);
  std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
  std::memcpy(&s, &in, sizeof in);
  return sizeof in;
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr) continue;
    sockaddr_storage s{};
    const int family = i->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::memcpy(&s, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto address = address_of(s);
    if (address && !address->is_loopback()) addresses.push_back(*address);
  }
  freeifaddrs(list);
  return addresses;
}

std::optional<IpAddress> source_towards(const IpAddress& peer) {
  const int fd = socket(peer.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  sockaddr_storage s{};
  socklen_t length = fill(s, peer);
  std::optional<IpAddress> source;
  // The cast is what the socket API asks for.
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&s));
  if (connect(fd, generic, length) == 0) {
    length = sizeof s;
    if (getsockname(fd, generic, &length) == 0) source = address_of(s);
  }
  close(fd);
  return source;
}

}  // namespace tunnelwatch::io
