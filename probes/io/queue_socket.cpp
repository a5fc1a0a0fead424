#include "probes/io/queue_socket.h"

#include <cerrno>

#include <linux/netlink.h>

namespace tunnelwatch::io {

boost::system::result<std::unique_ptr<QueueSocket>, OpenError> QueueSocket::open() {
  auto channel = NetlinkChannel::open({NETLINK_ROUTE, 0, "the queues of the interfaces", 4U << 20, false});
  if (!channel) return channel.error();
  return std::unique_ptr<QueueSocket>(new QueueSocket(std::move(*channel)));
}

boost::system::result<host::EgressQueues, OpenError> QueueSocket::read() {
  host::EgressQueues queues;
  const auto sequence = channel_->next_sequence();
  const auto answer = channel_->ask(host::build_queues_request(sequence), true, [&](wire::Bytes datagram) {
    return host::parse_queues(datagram, sequence, queues);
  });
  if (!answer.ended) channel_->start_over();
  if (answer.error != 0) return channel_->failure("read", answer.error);
  if (answer.malformed) return channel_->failure("understand", EBADMSG);
  return queues;
}

}  // namespace tunnelwatch::io
