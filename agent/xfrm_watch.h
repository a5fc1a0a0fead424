#pragma once

#include "agent/diagnosis/xfrm_evidence.h"
#include "agent/source_state.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/host/xfrm_stat.h"
#include "probes/host/xfrm_view.h"
#include "probes/io/xfrm_socket.h"
#include "probes/time.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tunnelwatch::agent {

class Watch;

// Reads the kernel's IPsec policies and states when something of them changes, and now and then, and compares them with
// the configured tunnels; counts what the kernel drops. Without CAP_NET_ADMIN it says so once, and only counts. With
// many tunnels the comparing is spread over several ticks. One thread.
class XfrmWatch {
 public:
  explicit XfrmWatch(Watch& watch) : watch_(watch) {}

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
  void take_events(TimePoint now);
  void begin(TimePoint now);
  void go_on(TimePoint now);
  void count(TimePoint now);

  Watch& watch_;
  config::Kernel settings_;
  std::unique_ptr<io::XfrmSocket> socket_;
  SourceState state_{"xfrm"};
  bool dirty_ = true;
  bool stopped_ = false;
  TimePoint next_{};   // when to read again all the same
  TimePoint least_{};  // and not before
  host::XfrmView view_;
  std::optional<diagnosis::XfrmIndex> index_;  // of view_
  diagnosis::HardExpiries expiries_;
  std::size_t judged_ = 0;  // of the tunnels, since the last reading
  bool reading_ = false;
  std::optional<host::XfrmStat> stat_;  // nothing: this kernel does not count
  TimePoint counted_{};
  std::array<std::uint64_t, host::kXfrmEventKindCount> events_{};
};

}  // namespace tunnelwatch::agent
