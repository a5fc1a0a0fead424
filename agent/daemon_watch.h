#pragma once

#include "agent/source_state.h"
#include "config/settings.h"
#include "probes/host/vici_session.h"
#include "probes/io/unix_stream.h"
#include "probes/time.h"

#include <memory>
#include <optional>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// Asks strongSwan over vici what it is told to do and what became of it: when something happens to an SA, and now and
// then. A daemon that is not there is said once and waited for. One thread, that of the io_context.
class DaemonWatch {
 public:
  DaemonWatch(boost::asio::io_context& io, Watch& watch) : io_(io), watch_(watch) {}

  void configure(const config::Daemon& settings);
  void tick(TimePoint now);
  void stop();

  bool wanted() const { return !settings_.vici.empty(); }
  bool up() const { return state_.up(); }

 private:
  void connect(TimePoint now);
  void on_bytes(std::span<const std::uint8_t> bytes);
  void on_closed(const std::string& reason);
  void tell_tunnels(TimePoint now);

  boost::asio::io_context& io_;
  Watch& watch_;
  config::Daemon settings_{.vici = ""};
  std::unique_ptr<io::UnixStream> stream_;
  host::ViciSession session_;
  std::optional<host::DaemonView> view_;
  SourceState state_{"vici"};
  TimePoint again_{};     // when to connect, or to ask
  TimePoint answered_{};  // the last whole view
};

}  // namespace tunnelwatch::agent
