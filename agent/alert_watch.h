#pragma once

#include "agent/line_intake.h"
#include "agent/source_state.h"
#include "config/settings.h"
#include "probes/host/error_notify.h"
#include "probes/io/unix_stream.h"
#include "probes/time.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// Listens to strongSwan's plugin error-notify, as to a log. Most daemons have no such socket: that is no news, and it
// is looked for again and again. One thread, that of the io_context.
class AlertWatch {
 public:
  // `by_key`: whether a connection is known to authenticate its peer by a pre-shared key.
  AlertWatch(boost::asio::io_context& io, Watch& watch, std::function<bool(std::string_view)> by_key)
      : io_(io), watch_(watch), by_key_(std::move(by_key)), intake_(watch) {}

  void configure(const config::Daemon& settings);
  void tick(TimePoint now);
  void stop();

  bool wanted() const { return !path_.empty(); }
  bool up() const { return state_.up(); }
  void report(exporters::Report& report) const { intake_.report(report); }

 private:
  void connect();
  void on_bytes(std::span<const std::uint8_t> bytes);
  void on_closed(const std::string& reason);

  boost::asio::io_context& io_;
  Watch& watch_;
  std::function<bool(std::string_view)> by_key_;
  LineIntake intake_;
  std::string path_;
  std::unique_ptr<io::UnixStream> stream_;
  host::ErrorNotifyStream notifications_;
  SourceState state_{"error_notify", SourceState::Absence::ordinary};
  TimePoint again_{};  // when to connect
};

}  // namespace tunnelwatch::agent
