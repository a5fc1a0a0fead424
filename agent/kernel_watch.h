#pragma once

#include "agent/diagnosis/forwarding_evidence.h"
#include "agent/source_state.h"
#include "agent/way_changes.h"
#include "exporters/report.h"
#include "probes/host/kernel_view.h"
#include "probes/io/netlink_socket.h"
#include "probes/time.h"

#include <memory>
#include <optional>
#include <vector>

namespace tunnelwatch::agent {

class Watch;

// Reads this machine's addresses, routes, neighbours and what it does not let through when something of it changes, and
// now and then, and compares them with the configured tunnels. With many tunnels the reading is spread over several
// ticks. One thread.
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
  void report(exporters::Report& report, const WallClock& clock) const;

 private:
  bool wanted() const;
  void count();
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
  diagnosis::ForwardingCounters counters_;
  std::optional<diagnosis::ForwardingLook> forwarding_;  // what was counted between the last two readings
  std::vector<IpAddress> wanted_;                        // ways that are still to be asked for
  std::vector<IpAddress> peers_;                         // likewise, with all their next hops
  WayChanges changes_;
  bool reading_ = false;
};

}  // namespace tunnelwatch::agent
