#include "probes/io/filter_socket.h"

#include "probes/host/nftables.h"

#include <cerrno>

#include <linux/netlink.h>

namespace tunnelwatch::io {

boost::system::result<std::unique_ptr<FilterSocket>, OpenError> FilterSocket::open() {
  auto channel = NetlinkChannel::open({NETLINK_NETFILTER, 0, "the rules of nftables", 1U << 20, false});
  if (!channel) return channel.error();
  return std::unique_ptr<FilterSocket>(new FilterSocket(std::move(*channel)));
}

boost::system::result<host::FilterView, OpenError> FilterSocket::read() {
  host::FilterView view;
  view.complete = true;
  const auto sequence = channel_->next_sequence();
  const auto answer = channel_->ask(host::build_rules_request(sequence), true,
                                    [&](wire::Bytes datagram) { return host::parse_rules(datagram, sequence, view); });
  if (!answer.ended) {
    view.complete = false;
    channel_->start_over();
  }
  if (answer.error != 0) {
    auto error = channel_->failure("read", answer.error);
    if (error.error == EPERM || error.error == EACCES) error.sentence += " (it takes CAP_NET_ADMIN)";
    return error;
  }
  if (answer.malformed) return channel_->failure("understand", EBADMSG);
  return view;
}

}  // namespace tunnelwatch::io
