#include "probes/io/xfrm_socket.h"

#include "probes/host/xfrm.h"

#include <cerrno>

#include <linux/netlink.h>
#include <linux/xfrm.h>

namespace tunnelwatch::io {

namespace {

OpenError refused(OpenError error) {
  if (error.error == EPERM || error.error == EACCES) error.sentence += " (it takes CAP_NET_ADMIN)";
  return error;
}

}  // namespace

boost::system::result<std::unique_ptr<XfrmSocket>, OpenError> XfrmSocket::open() {
  // Not XFRMGRP_ACQUIRE: the kernel takes whoever listens there for an IKE daemon, and lets traffic wait for it.
  constexpr unsigned kGroups = XFRMGRP_EXPIRE | XFRMGRP_SA | XFRMGRP_POLICY;
  auto channel = NetlinkChannel::open({NETLINK_XFRM, kGroups, "the kernel's IPsec state", 8U << 20, true});
  if (!channel) return refused(channel.error());
  return std::unique_ptr<XfrmSocket>(new XfrmSocket(std::move(*channel)));
}

boost::system::result<host::XfrmView, OpenError> XfrmSocket::read() {
  host::XfrmView view;
  view.complete = true;
  for (const auto table : {host::XfrmTable::policies, host::XfrmTable::states}) {
    const auto sequence = channel_->next_sequence();
    const auto answer = channel_->ask(host::build_xfrm_request(table, sequence), true,
                                      [&](wire::Bytes datagram) { return host::parse_xfrm(datagram, sequence, view); });
    if (!answer.ended) {
      view.complete = false;
      channel_->start_over();
    }
    if (answer.error != 0) return refused(channel_->failure("read", answer.error));
    if (answer.malformed) return channel_->failure("understand", EBADMSG);
  }
  return view;
}

bool XfrmSocket::take_events(std::vector<host::XfrmEvent>& events) {
  return channel_->take_events([&](wire::Bytes datagram) { host::parse_xfrm_events(datagram, events); });
}

}  // namespace tunnelwatch::io
