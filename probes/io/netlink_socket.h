#pragma once

#include "probes/host/kernel_view.h"
#include "probes/host/neighbour_failures.h"
#include "probes/host/netlink.h"
#include "probes/io/netlink_channel.h"
#include "probes/io/open_error.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// The kernel's tables of links, addresses, routes and neighbours. It is asked and answers at once, within the call: a
// table of a hundred rows takes about 100 us. Needs no permission. One thread.
class NetlinkSocket {
 public:
  static boost::system::result<std::unique_ptr<NetlinkSocket>, OpenError> open();

  // All tables; the ways are not among them. A neighbour that failed by what changed() was told, and is asked for
  // again, is one that failed.
  boost::system::result<host::KernelView, OpenError> read();
  // Adds the ways to these addresses, a system call or two each; what cannot be asked is left out.
  void add_ways(std::span<const IpAddress> destinations, host::KernelView& view);
  // Adds the routes behind those, with all their next hops; what has none is left out.
  void add_entries(std::span<const IpAddress> destinations, host::KernelView& view);
  // Whether any of it changed since the last call, or may have.
  bool changed();

 private:
  explicit NetlinkSocket(std::unique_ptr<NetlinkChannel> channel) : channel_(std::move(channel)) {}
  host::NetlinkAnswer ask(const std::vector<std::uint8_t>& request, std::uint32_t sequence, bool dump,
                          host::KernelView& view);

  std::unique_ptr<NetlinkChannel> channel_;
  host::NeighbourFailures failures_;  // of which events told
};

}  // namespace tunnelwatch::io
