#pragma once

#include "agent/diagnosis/flow_evidence.h"
#include "agent/source_state.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/io/conntrack_socket.h"
#include "probes/time.h"

#include <memory>
#include <optional>

namespace tunnelwatch::agent {

class Watch;

// Reads the kernel's connections now and then, some thousand at a time, for those of the configured tunnels that this
// machine translates. Without CAP_NET_ADMIN it says so once. One thread.
class FlowWatch {
 public:
  explicit FlowWatch(Watch& watch) : watch_(watch) {}

  // The tunnels may be others.
  void configure(const config::Kernel& settings);
  // Every 100 ms or so.
  void tick(TimePoint now);
  void stop();
  void report(exporters::Report& report) const;

 private:
  bool wanted() const;
  void begin(TimePoint now);
  void go_on(TimePoint now);
  void conclude(TimePoint now);
  void forget();
  void fail(const std::string& reason, TimePoint now);

  Watch& watch_;
  config::Kernel settings_;
  std::unique_ptr<io::ConntrackSocket> socket_;
  SourceState state_{"conntrack"};
  std::optional<diagnosis::TranslatedFlows> flows_;  // of the reading under way
  bool reads_v6_ = false;                            // the second half of it
  bool stopped_ = false;
  TimePoint next_{};
};

}  // namespace tunnelwatch::agent
