#include "probes/host/netlink.h"

#include "probes/host/netlink_bytes.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::host {

namespace {

using namespace netlink;

constexpr std::size_t kMaxHops = 64;

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
    const bool dead = (head.rtnh_flags & RTNH_F_DEAD) != 0;
    if (hops.size() < kMaxHops && !dead) hops.push_back(hop);
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

std::vector<std::uint8_t> build_way_request(const IpAddress& destination, std::uint32_t sequence, bool whole_route) {
  std::vector<std::uint8_t> out;
  put(out, header(RTM_GETROUTE, 0, sequence));
  rtmsg head{};
  head.rtm_family = destination.is_v4() ? kInet : kInet6;
  head.rtm_dst_len = destination.is_v4() ? 32 : 128;
  if (whole_route) head.rtm_flags = RTM_F_FIB_MATCH;
  put(out, head);
  const auto bytes = destination.bytes();
  put(out, rtattr{static_cast<unsigned short>(sizeof(rtattr) + bytes.size()), RTA_DST});
  out.insert(out.end(), bytes.begin(), bytes.end());
  return finished(std::move(out));
}

NetlinkAnswer parse_netlink(Bytes bytes, std::optional<std::uint32_t> sequence, KernelView& view) {
  return each_message(bytes, sequence, [&](const nlmsghdr& head, Bytes body) {
    // The table changed while it was told: some of it may be missing.
    if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) view.complete = false;
    return read_message(head.nlmsg_type, body, view);
  });
}

}  // namespace tunnelwatch::host
