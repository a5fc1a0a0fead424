#include "probes/io/netlink_socket.h"

#include <cerrno>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::io {

boost::system::result<std::unique_ptr<NetlinkSocket>, OpenError> NetlinkSocket::open() {
  constexpr unsigned kGroups =
      RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  // A full table of the internet is not read to its end.
  auto channel = NetlinkChannel::open({NETLINK_ROUTE, kGroups, "the kernel's tables", 4U << 20, false});
  if (!channel) return channel.error();
  return std::unique_ptr<NetlinkSocket>(new NetlinkSocket(std::move(*channel)));
}

host::NetlinkAnswer NetlinkSocket::ask(const std::vector<std::uint8_t>& request, std::uint32_t sequence, bool dump,
                                       host::KernelView& view) {
  const auto answer =
      channel_->ask(request, dump, [&](wire::Bytes datagram) { return host::parse_netlink(datagram, sequence, view); });
  if (dump && !answer.ended) view.complete = false;
  return answer;
}

boost::system::result<host::KernelView, OpenError> NetlinkSocket::read() {
  host::KernelView view;
  view.complete = true;
  using host::KernelTable;
  for (const auto table : {KernelTable::links, KernelTable::addresses, KernelTable::routes, KernelTable::neighbours}) {
    const auto sequence = channel_->next_sequence();
    const auto answer = ask(host::build_dump_request(table, sequence), sequence, true, view);
    if (!answer.ended) channel_->start_over();
    if (answer.error != 0) return channel_->failure("read", answer.error);
    if (answer.malformed) return channel_->failure("understand", EBADMSG);
  }
  failures_.complete(view.neighbours);
  return view;
}

void NetlinkSocket::add_ways(std::span<const IpAddress> destinations, host::KernelView& view) {
  for (const IpAddress& destination : destinations) {
    host::KernelView found;
    const auto sequence = channel_->next_sequence();
    const auto answer = ask(host::build_way_request(destination, sequence), sequence, false, found);
    // What no route at all, and a blackhole, an unreachable or a prohibited one answer.
    const bool nowhere =
        answer.error == ENETUNREACH || answer.error == EHOSTUNREACH || answer.error == EINVAL || answer.error == EACCES;
    if (!found.routes.empty()) {
      view.ways[destination] = found.routes.front();
    } else if (nowhere) {
      view.ways[destination] = host::KernelRoute{};
    } else {
      channel_->start_over();
    }
  }
}

void NetlinkSocket::add_entries(std::span<const IpAddress> destinations, host::KernelView& view) {
  for (const IpAddress& destination : destinations) {
    host::KernelView found;
    const auto sequence = channel_->next_sequence();
    const auto answer = ask(host::build_way_request(destination, sequence, true), sequence, false, found);
    if (answer.messages == 0 && !answer.ended) channel_->start_over();
    if (!found.routes.empty()) view.entries[destination] = found.routes.front();
  }
}

bool NetlinkSocket::changed() {
  return channel_->take_events([this](wire::Bytes datagram) {
    host::KernelView told;
    host::parse_netlink(datagram, std::nullopt, told);
    failures_.note(told.neighbours);
  });
}

}  // namespace tunnelwatch::io
