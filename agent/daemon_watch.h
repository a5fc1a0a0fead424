#pragma once

#include "agent/daemon_totals.h"
#include "agent/diagnosis/daemon_life.h"
#include "agent/line_intake.h"
#include "agent/source_state.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/host/vici_session.h"
#include "probes/io/unix_stream.h"
#include "probes/time.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// Asks strongSwan over vici what it is told to do and what became of it: when something happens to an SA, and now and
// then; and hears what it logs. A daemon that is not there is said once and waited for. One thread, that of the
// io_context.
class DaemonWatch {
 public:
  DaemonWatch(boost::asio::io_context& io, Watch& watch) : io_(io), watch_(watch), intake_(watch) {}

  void configure(const config::Daemon& settings);
  void tick(TimePoint now);
  void stop();

  bool wanted() const { return !settings_.vici.empty(); }
  bool up() const { return state_.up(); }
  // Whether this connection's peer authenticates by a pre-shared key, as far as is known.
  bool is_by_key(std::string_view connection) const;
  // What it counts, beside the tunnels that stand in the report already.
  void report(exporters::Report& report) const;

 private:
  void connect(TimePoint now);
  void on_bytes(std::span<const std::uint8_t> bytes);
  void on_closed(const std::string& reason);
  void forget();
  void tell_tunnels(TimePoint now);
  void count(TimePoint now);
  void take_lines(TimePoint now);

  boost::asio::io_context& io_;
  Watch& watch_;
  config::Daemon settings_{.vici = ""};
  std::unique_ptr<io::UnixStream> stream_;
  host::ViciSession session_;
  std::optional<host::DaemonView> view_;
  DaemonTotals totals_;
  LineIntake intake_;
  diagnosis::LogReader reader_;
  diagnosis::DaemonDeletions deletions_;
  std::map<std::string, diagnosis::DaemonLife> lives_;  // by tunnel
  SourceState state_{"vici"};
  TimePoint again_{};     // when to connect, or to ask
  TimePoint answered_{};  // the last whole view
};

}  // namespace tunnelwatch::agent
