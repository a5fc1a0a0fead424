#pragma once

#include "agent/daemon_watch.h"
#include "agent/filter_watch.h"
#include "agent/kernel_watch.h"
#include "agent/log_watch.h"
#include "agent/xfrm_watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/time.h"

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// The agent's third side, this machine's own state: its network, IPsec and the packet filter in its kernel, its IKE
// daemon and its logs. All of it is optional: what is missing is said once, and told as a source that is down; it is
// never a cause. One thread, that of the io_context.
class HostWatch {
 public:
  HostWatch(boost::asio::io_context& io, Watch& watch)
      : kernel_(watch), xfrm_(watch), filter_(watch), daemon_(io, watch), logs_(io, watch) {}

  // After the watch was.
  void configure(const config::Settings& settings, TimePoint now) {
    kernel_.configure();
    xfrm_.configure(settings.kernel, now);
    filter_.configure(settings.kernel, now);
    daemon_.configure(settings.daemon);
    logs_.configure(settings.logs);
  }
  // Every 100 ms or so.
  void tick(TimePoint now) {
    kernel_.tick(now);
    xfrm_.tick(now);
    filter_.tick(now);
    daemon_.tick(now);
    logs_.tick(now);
  }
  void stop() {
    kernel_.stop();
    xfrm_.stop();
    filter_.stop();
    daemon_.stop();
    logs_.stop();
  }
  void report(exporters::Report& report, const WallClock& clock) const {
    kernel_.report(report, clock);
    xfrm_.report(report);
    filter_.report(report);
    if (daemon_.wanted()) report.agent.sources.emplace_back("vici", daemon_.up());
    logs_.report(report);
  }

 private:
  KernelWatch kernel_;
  XfrmWatch xfrm_;
  FilterWatch filter_;
  DaemonWatch daemon_;
  LogWatch logs_;
};

}  // namespace tunnelwatch::agent
