#pragma once

#include "probes/active/path_mtu.h"
#include "probes/active/path_trace.h"
#include "probes/io/local_route.h"
#include "probes/io/open_error.h"

#include <functional>
#include <memory>
#include <optional>

#include <boost/system/result.hpp>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

struct PathProbeOptions {
  IpAddress target;
  std::optional<IpAddress> source;  // of the same family; unset: what the route says
  std::uint8_t max_hops = 30;
  std::uint8_t flows = 1;  // of ICMP and of each UDP port
  std::chrono::milliseconds interval{10};
  bool trace = true;  // otherwise the MTU alone is searched for
};

// One trace and one search for the path's MTU to one target, side by side, with the sockets that they need. Belongs to
// the thread of its io_context; destroying it stops it at once.
class PathProbe {
 public:
  // `on_change` after each packet that told something, `on_done` once; neither from within start().
  struct Handlers {
    std::function<void()> on_change;
    std::function<void()> on_done;
  };
  // Opens the sockets and begins. Errors: no route, or a capability is missing.
  static boost::system::result<std::unique_ptr<PathProbe>, io::OpenError> start(boost::asio::io_context& io,
                                                                                const PathProbeOptions& options,
                                                                                std::uint64_t seed, Handlers handlers);
  ~PathProbe();
  PathProbe(const PathProbe&) = delete;
  PathProbe& operator=(const PathProbe&) = delete;

  bool done() const;
  const active::PathTrace& trace() const;
  const active::PathMtuResult& mtu() const;
  const io::LocalRoute& route() const;

 private:
  class Impl;
  explicit PathProbe(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::agent
