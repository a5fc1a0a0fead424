#pragma once

#include "probes/host/xfrm_view.h"
#include "probes/io/netlink_channel.h"
#include "probes/io/open_error.h"

#include <memory>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// The kernel's IPsec policies and states, and what happens to them. Takes CAP_NET_ADMIN, else it says so. It is asked
// and answers at once, within the call. The kernel sends the states' keys along: they are not read, and what was
// received is wiped. One thread.
class XfrmSocket {
 public:
  static boost::system::result<std::unique_ptr<XfrmSocket>, OpenError> open();

  boost::system::result<host::XfrmView, OpenError> read();
  // Appends what happened since the last call. True where anything changed, or may have.
  bool take_events(std::vector<host::XfrmEvent>& events);

 private:
  explicit XfrmSocket(std::unique_ptr<NetlinkChannel> channel) : channel_(std::move(channel)) {}

  std::unique_ptr<NetlinkChannel> channel_;
};

}  // namespace tunnelwatch::io
