#include "probes/io/local_route.h"

#include "probes/io/descriptor.h"
#include "probes/io/local_addresses.h"
#include "probes/io/socket_message.h"

#include <algorithm>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tunnelwatch::io {

namespace {

constexpr std::uint16_t kAnyPort = 4500;  // connecting a datagram socket sends nothing

std::optional<IpAddress> chosen_source(int fd, const IpAddress& target, const std::optional<IpAddress>& source) {
  if (source) {
    const sockaddr_storage local = to_sockaddr(*source, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&local), sockaddr_size(*source)) != 0) return std::nullopt;
  }
  const sockaddr_storage to = to_sockaddr(target, kAnyPort);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sockaddr_size(target)) != 0) return std::nullopt;
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return std::nullopt;
  return from_sockaddr(local);
}

std::uint16_t mtu_of(int fd, const std::string& interface) {
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), sizeof request.ifr_name - 1);
  if (::ioctl(fd, SIOCGIFMTU, &request) != 0) return 0;
  return static_cast<std::uint16_t>(std::clamp(request.ifr_mtu, 0, 65535));
}

std::string interface_of(const IpAddress& address) {
  struct if_nameindex* const all = if_nameindex();
  std::string name;
  for (const struct if_nameindex* i = all; i != nullptr && i->if_name != nullptr && name.empty(); ++i) {
    const auto held = addresses_of(i->if_name);
    if (std::find(held.begin(), held.end(), address) != held.end()) name = i->if_name;
  }
  if_freenameindex(all);
  return name;
}

}  // namespace

std::optional<LocalRoute> route_to(const IpAddress& target, const std::optional<IpAddress>& source) {
  const Descriptor fd(::socket(target.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return std::nullopt;
  const auto from = chosen_source(fd.get(), target, source);
  if (!from) return std::nullopt;
  LocalRoute route{*from, interface_of(*from), 0};
  if (!route.interface.empty()) route.mtu = mtu_of(fd.get(), route.interface);
  return route;
}

}  // namespace tunnelwatch::io
