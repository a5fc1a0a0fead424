#pragma once

#include "agent/source_state.h"
#include "probes/host/kernel_view.h"
#include "probes/io/netlink_socket.h"
#include "probes/time.h"

#include <memory>
#include <vector>

namespace tunnelwatch::agent {

class Watch;

// Reads this machine's addresses, routes and neighbours when something of it changes, and now and then, and compares
// them with the configured tunnels. With many tunnels the reading is spread over several ticks. One thread.
class KernelWatch {
 public:
  explicit KernelWatch(Watch& watch) : watch_(watch) {}

  // The tunnels may be others.
  void configure() { dirty_ = true; }
  // Every 100 ms or so.
  void tick(TimePoint now);
  void stop() {
    socket_.reset();
    stopped_ = true;
  }
  bool wanted() const;
  bool up() const { return state_.up(); }

 private:
  void begin(TimePoint now);
  void go_on(TimePoint now);
  void fail(const std::string& reason, TimePoint now);

  Watch& watch_;
  std::unique_ptr<io::NetlinkSocket> socket_;
  SourceState state_{"netlink"};
  bool dirty_ = true;
  bool stopped_ = false;
  TimePoint next_{};   // when to read again all the same
  TimePoint least_{};  // and not before
  host::KernelView view_;
  std::vector<IpAddress> wanted_;  // ways that are still to be asked for
  bool reading_ = false;
};

}  // namespace tunnelwatch::agent
