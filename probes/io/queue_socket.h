#pragma once

#include "probes/host/egress_queue.h"
#include "probes/io/netlink_channel.h"
#include "probes/io/open_error.h"

#include <memory>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// The queues in front of the interfaces of this network namespace. Needs no permission. It is asked and answers at
// once, within the call. One thread.
class QueueSocket {
 public:
  static boost::system::result<std::unique_ptr<QueueSocket>, OpenError> open();

  boost::system::result<host::EgressQueues, OpenError> read();

 private:
  explicit QueueSocket(std::unique_ptr<NetlinkChannel> channel) : channel_(std::move(channel)) {}

  std::unique_ptr<NetlinkChannel> channel_;
};

}  // namespace tunnelwatch::io
