#pragma once

#include "agent/source_state.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/host/filter_view.h"
#include "probes/io/filter_socket.h"
#include "probes/time.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tunnelwatch::agent {

class Watch;

// Reads the rules of this machine's packet filter now and then, and what they have dropped meanwhile of packets between
// the subnets of configured tunnels. Without CAP_NET_ADMIN it says so once. One thread.
class FilterWatch {
 public:
  explicit FilterWatch(Watch& watch) : watch_(watch) {}

  // The tunnels may be others.
  void configure(const config::Kernel& settings, TimePoint now);
  // Every 100 ms or so.
  void tick(TimePoint now);
  void stop();
  void report(exporters::Report& report) const;

 private:
  bool wanted() const;
  void fail(const std::string& reason, TimePoint now);
  void forget(TimePoint now);
  void look(TimePoint now);

  Watch& watch_;
  config::Kernel settings_;
  std::unique_ptr<io::FilterSocket> socket_;
  SourceState state_{"nftables"};
  bool stopped_ = false;
  TimePoint next_{};
  host::FilterView view_;
  std::map<std::string, std::uint64_t> dropped_;  // by tunnel, since the agent began
};

}  // namespace tunnelwatch::agent
