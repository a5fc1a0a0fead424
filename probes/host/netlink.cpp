#include "probes/host/netlink.h"

#include <algorithm>
#include <cstring>
#include <span>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::host {

namespace {

using wire::Bytes;

constexpr std::size_t kMaxHops = 64;
constexpr std::uint8_t kInet = 2;    // AF_INET
constexpr std::uint8_t kInet6 = 10;  // AF_INET6

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// A struct of the kernel's at the beginning of the bytes; nothing where they are too few.
template <typename T>
std::optional<T> read(Bytes bytes) {
  T value{};
  if (bytes.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// Calls `take(type, value)` with each attribute. False where one does not fit.
template <typename Take>
bool each_attribute(Bytes bytes, Take&& take) {
  while (bytes.size() >= sizeof(rtattr)) {
    const auto head = *read<rtattr>(bytes);
    if (head.rta_len < sizeof head || head.rta_len > bytes.size()) return false;
    take(static_cast<unsigned>(head.rta_type & NLA_TYPE_MASK), bytes.subspan(sizeof head, head.rta_len - sizeof head));
    bytes = bytes.subspan(std::min(aligned(head.rta_len), bytes.size()));
  }
  return true;
}

Bytes behind(Bytes bytes, std::size_t size) { return bytes.subspan(std::min(aligned(size), bytes.size())); }

std::optional<IpAddress> address_of(std::uint8_t family, Bytes bytes) {
  if (family == kInet && bytes.size() == 4) return IpAddress::v4(std::span<const std::uint8_t, 4>(bytes));
  if (family == kInet6 && bytes.size() == 16) return IpAddress::v6(std::span<const std::uint8_t, 16>(bytes));
  return std::nullopt;
}

IpAddress any_of(std::uint8_t family) {
  static constexpr std::array<std::uint8_t, 16> zero{};
  return family == kInet ? IpAddress::v4(std::uint32_t{0}) : IpAddress::v6(zero);
}

template <typename List, typename Item>
void add(List& list, Item item, std::size_t most, KernelView& view) {
  if (list.size() < most) {
    list.push_back(std::move(item));
  } else {
    view.complete = false;
  }
}

bool read_link(Bytes body, KernelView& view) {
  const auto head = read<ifinfomsg>(body);
  if (!head) return false;
  KernelLink link;
  link.up = (head->ifi_flags & IFF_UP) != 0;
  link.resolves = (head->ifi_flags & IFF_BROADCAST) != 0 && (head->ifi_flags & IFF_NOARP) == 0;
  const bool fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type != IFLA_IFNAME || value.empty()) return;
    const auto* name = reinterpret_cast<const char*>(value.data());
    link.name.assign(name, strnlen(name, std::min<std::size_t>(value.size(), IFNAMSIZ)));
  });
  if (view.links.size() < KernelView::kMaxLinks) {
    view.links[static_cast<std::uint32_t>(head->ifi_index)] = link;
  } else {
    view.complete = false;
  }
  return fits;
}

bool read_address(Bytes body, KernelView& view) {
  const auto head = read<ifaddrmsg>(body);
  if (!head) return false;
  // IFA_ADDRESS of a point-to-point link is the other end; IFA_LOCAL is ours then.
  std::optional<IpAddress> local;
  std::optional<IpAddress> address;
  const bool fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type == IFA_LOCAL) local = address_of(head->ifa_family, value);
    if (type == IFA_ADDRESS) address = address_of(head->ifa_family, value);
  });
  const auto own = local ? local : address;
  if (own)
    add(view.addresses, KernelAddress{head->ifa_index, {*own, head->ifa_prefixlen}}, KernelView::kMaxAddresses, view);
  return fits;
}

bool read_hops(std::uint8_t family, Bytes bytes, std::vector<KernelHop>& hops) {
  while (bytes.size() >= sizeof(rtnexthop)) {
    const auto head = *read<rtnexthop>(bytes);
    if (head.rtnh_len < sizeof head || head.rtnh_len > bytes.size()) return false;
    KernelHop hop;
    hop.link = static_cast<std::uint32_t>(head.rtnh_ifindex);
    const bool fits =
        each_attribute(bytes.subspan(sizeof head, head.rtnh_len - sizeof head), [&](unsigned type, Bytes value) {
          if (type == RTA_GATEWAY) hop.gateway = address_of(family, value);
        });
    if (!fits) return false;
    if (hops.size() < kMaxHops) hops.push_back(hop);
    bytes = bytes.subspan(std::min(aligned(head.rtnh_len), bytes.size()));
  }
  return true;
}

std::optional<KernelRoute> read_route(Bytes body, bool& fits) {
  const auto head = read<rtmsg>(body);
  fits = head.has_value();
  if (!head || (head->rtm_family != kInet && head->rtm_family != kInet6)) return std::nullopt;
  KernelRoute route;
  route.destination = {any_of(head->rtm_family), head->rtm_dst_len};
  route.passes = head->rtm_type == RTN_UNICAST;
  KernelHop hop;
  fits = each_attribute(behind(body, sizeof *head),
                        [&](unsigned type, Bytes value) {
                          if (type == RTA_DST) {
                            if (const auto address = address_of(head->rtm_family, value))
                              route.destination.address = *address;
                          } else if (type == RTA_GATEWAY) {
                            hop.gateway = address_of(head->rtm_family, value);
                          } else if (type == RTA_VIA && value.size() > 2) {  // a gateway of another family
                            const auto family = read<std::uint16_t>(value);
                            hop.gateway = address_of(static_cast<std::uint8_t>(*family), value.subspan(2));
                          } else if (type == RTA_OIF) {
                            hop.link = read<std::uint32_t>(value).value_or(0);
                          } else if (type == RTA_MULTIPATH) {
                            fits = read_hops(head->rtm_family, value, route.hops) && fits;
                          }
                        }) &&
         fits;
  if (route.hops.empty() && hop.link != 0) route.hops.push_back(hop);
  return route;
}

bool read_neighbour(Bytes body, KernelView& view) {
  const auto head = read<ndmsg>(body);
  if (!head) return false;
  const unsigned state = head->ndm_state;
  std::optional<IpAddress> address;
  const bool fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type == NDA_DST) address = address_of(head->ndm_family, value);
  });
  if (!address || state == 0) return fits;
  const auto meaning = (state & NUD_FAILED) != 0       ? NeighbourState::failed
                       : (state & NUD_INCOMPLETE) != 0 ? NeighbourState::resolving
                                                       : NeighbourState::resolved;
  add(view.neighbours, KernelNeighbour{static_cast<std::uint32_t>(head->ndm_ifindex), *address, meaning},
      KernelView::kMaxNeighbours, view);
  return fits;
}

bool read_message(std::uint16_t type, Bytes body, KernelView& view) {
  switch (type) {
    case RTM_NEWLINK:
      return read_link(body, view);
    case RTM_NEWADDR:
      return read_address(body, view);
    case RTM_NEWNEIGH:
      return read_neighbour(body, view);
    case RTM_NEWROUTE: {
      bool fits = true;
      auto route = read_route(body, fits);
      if (route) add(view.routes, std::move(*route), KernelView::kMaxRoutes, view);
      return fits;
    }
    default:
      return true;
  }
}

template <typename T>
void put(std::vector<std::uint8_t>& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
  out.resize(aligned(out.size()));
}

std::vector<std::uint8_t> finished(std::vector<std::uint8_t> request) {
  const auto size = static_cast<std::uint32_t>(request.size());
  std::memcpy(request.data(), &size, sizeof size);
  return request;
}

nlmsghdr header(std::uint16_t type, unsigned flags, std::uint32_t sequence) {
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  head.nlmsg_seq = sequence;
  return head;
}

}  // namespace

std::vector<std::uint8_t> build_dump_request(KernelTable table, std::uint32_t sequence) {
  std::vector<std::uint8_t> out;
  switch (table) {
    case KernelTable::links:
      put(out, header(RTM_GETLINK, NLM_F_DUMP, sequence));
      put(out, ifinfomsg{});
      break;
    case KernelTable::addresses:
      put(out, header(RTM_GETADDR, NLM_F_DUMP, sequence));
      put(out, ifaddrmsg{});
      break;
    case KernelTable::routes:
      put(out, header(RTM_GETROUTE, NLM_F_DUMP, sequence));
      put(out, rtmsg{});
      break;
    case KernelTable::neighbours:
      put(out, header(RTM_GETNEIGH, NLM_F_DUMP, sequence));
      put(out, ndmsg{});
      break;
  }
  return finished(std::move(out));
}

std::vector<std::uint8_t> build_way_request(const IpAddress& destination, std::uint32_t sequence) {
  std::vector<std::uint8_t> out;
  put(out, header(RTM_GETROUTE, 0, sequence));
  rtmsg head{};
  head.rtm_family = destination.is_v4() ? kInet : kInet6;
  head.rtm_dst_len = destination.is_v4() ? 32 : 128;
  put(out, head);
  const auto bytes = destination.bytes();
  put(out, rtattr{static_cast<unsigned short>(sizeof(rtattr) + bytes.size()), RTA_DST});
  out.insert(out.end(), bytes.begin(), bytes.end());
  return finished(std::move(out));
}

NetlinkAnswer parse_netlink(Bytes bytes, std::uint32_t sequence, KernelView& view) {
  NetlinkAnswer answer;
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto head = *read<nlmsghdr>(bytes);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > bytes.size()) {
      answer.malformed = true;
      return answer;
    }
    const Bytes body = bytes.subspan(sizeof head, head.nlmsg_len - sizeof head);
    bytes = bytes.subspan(std::min(aligned(head.nlmsg_len), bytes.size()));
    if (head.nlmsg_seq != sequence) continue;
    if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) {
      answer.ended = true;
      constexpr std::int32_t kLastErrno = 4095;
      answer.error = -std::clamp(read<std::int32_t>(body).value_or(0), -kLastErrno, 0);
      return answer;
    }
    // The table changed while it was told: some of it may be missing.
    if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) view.complete = false;
    if (!read_message(head.nlmsg_type, body, view)) {
      answer.malformed = true;
      return answer;
    }
    ++answer.messages;
  }
  return answer;
}

}  // namespace tunnelwatch::host
