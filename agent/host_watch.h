#pragma once

#include "agent/alert_watch.h"
#include "agent/daemon_watch.h"
#include "agent/filter_watch.h"
#include "agent/flow_watch.h"
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

// The agent's third side, this machine's own state: its network, connections, IPsec and packet filter in its kernel,
// its IKE daemon and its logs. All of it is optional: what is missing is said once, and told as a source that is down;
// it is never a cause. One thread, that of the io_context.
class HostWatch {
 public:
  HostWatch(boost::asio::io_context& io, Watch& watch)
      : kernel_(watch),
        flows_(watch),
        xfrm_(watch),
        filter_(watch),
        daemon_(io, watch),
        alerts_(io, watch, [this](std::string_view connection) { return daemon_.is_by_key(connection); }),
        logs_(io, watch) {}

  // After the watch was.
  void configure(const config::Settings& settings, TimePoint now) {
    kernel_.configure();
    flows_.configure(settings.kernel);
    xfrm_.configure(settings.kernel, now);
    filter_.configure(settings.kernel, now);
    daemon_.configure(settings.daemon);
    alerts_.configure(settings.daemon);
    logs_.configure(settings.logs);
  }
  // Every 100 ms or so.
  void tick(TimePoint now) {
    kernel_.tick(now);
    flows_.tick(now);
    xfrm_.tick(now);
    filter_.tick(now);
    daemon_.tick(now);
    alerts_.tick(now);
    logs_.tick(now);
  }
  void stop() {
    kernel_.stop();
    flows_.stop();
    xfrm_.stop();
    filter_.stop();
    daemon_.stop();
    alerts_.stop();
    logs_.stop();
  }
  void report(exporters::Report& report, const WallClock& clock) const {
    kernel_.report(report, clock);
    flows_.report(report);
    xfrm_.report(report);
    filter_.report(report);
    if (daemon_.wanted()) report.agent.sources.emplace_back("vici", daemon_.up());
    if (alerts_.wanted()) report.agent.sources.emplace_back("error_notify", alerts_.up());
    daemon_.report(report);
    alerts_.report(report);
    logs_.report(report);
  }

 private:
  KernelWatch kernel_;
  FlowWatch flows_;
  XfrmWatch xfrm_;
  FilterWatch filter_;
  DaemonWatch daemon_;
  AlertWatch alerts_;
  LogWatch logs_;
};

}  // namespace tunnelwatch::agent
