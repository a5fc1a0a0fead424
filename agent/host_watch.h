#pragma once

#include "agent/log_watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/time.h"

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// The agent's third side, this machine's own state: its logs. All of it is optional: what is missing is said once, and
// told as a source that is down; it is never a cause. One thread, that of the io_context.
class HostWatch {
 public:
  HostWatch(boost::asio::io_context& io, Watch& watch) : logs_(io, watch) {}

  void configure(const config::Settings& settings) { logs_.configure(settings.logs); }
  void tick(TimePoint now) { logs_.tick(now); }
  void stop() { logs_.stop(); }
  void report(exporters::Report& report) const { logs_.report(report); }

 private:
  LogWatch logs_;
};

}  // namespace tunnelwatch::agent
