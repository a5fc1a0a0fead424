#include "probes/io/local_addresses.h"

#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

}  // namespace

namespace {

std::vector<IpAddress> list_addresses(const std::string* interface) {
  std::vector<IpAddress> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (interface != nullptr && *interface != i->ifa_name)) continue;
    sockaddr_storage s{};
    const int family = i->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::memcpy(&s, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto address = address_of(s);
    if (address) addresses.push_back(*address);
  }
  freeifaddrs(list);
  return addresses;
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  auto addresses = list_addresses(nullptr);
  std::erase_if(addresses, [](const IpAddress& a) { return a.is_loopback(); });
  return addresses;
}

std::vector<IpAddress> addresses_of(const std::string& interface) {
  auto addresses = list_addresses(&interface);
  std::erase_if(addresses, [](const IpAddress& a) { return a.is_link_local(); });
  return addresses;
}

std::optional<std::uint32_t> interface_index(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  return index == 0 ? std::nullopt : std::optional<std::uint32_t>(index);
}

}  // namespace tunnelwatch::io
