#pragma once

#include "probes/host/filter_view.h"
#include "probes/io/netlink_channel.h"
#include "probes/io/open_error.h"

#include <memory>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// The rules of nftables in this network namespace. Takes CAP_NET_ADMIN, else it says so. It is asked and answers at
// once, within the call. One thread.
class FilterSocket {
 public:
  static boost::system::result<std::unique_ptr<FilterSocket>, OpenError> open();

  boost::system::result<host::FilterView, OpenError> read();

 private:
  explicit FilterSocket(std::unique_ptr<NetlinkChannel> channel) : channel_(std::move(channel)) {}

  std::unique_ptr<NetlinkChannel> channel_;
};

}  // namespace tunnelwatch::io
