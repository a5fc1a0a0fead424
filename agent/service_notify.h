#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// The service manager's notification protocol, sd_notify(3), without libsystemd: datagrams of NAME=value lines to the
// socket that $NOTIFY_SOCKET names. Not started by a service manager, every call does nothing.
namespace tunnelwatch {

class ServiceNotify {
 public:
  // What the service manager left in the environment. An empty string stands for a variable that is not set.
  struct Environment {
    std::string notify_socket;  // a path, or '@' and a name of the abstract namespace
    std::string watchdog_usec;  // what WatchdogSec= says, in microseconds
    std::string watchdog_pid;   // who is meant; empty: whoever reads it
  };
  static Environment from_environment();

  ServiceNotify() : ServiceNotify(from_environment()) {}
  explicit ServiceNotify(const Environment& environment);
  ~ServiceNotify();
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;

  // READY=1: started, or the reload is over. `status` is the line that `systemctl status` shows.
  void ready(std::string_view status = {}) const;
  // RELOADING=1 with the monotonic stamp, which tells this reload from an earlier one.
  void reloading() const;
  void stopping() const;
  void status(std::string_view text) const;
  // "I still make progress". To be sent from real progress only, at least once in half of watchdog_interval().
  void watchdog() const;

  // Within what time the service manager wants a sign of life; none: there is no watchdog, or it is not for us.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_interval_; }
  bool connected() const { return fd_ >= 0; }

 private:
  void send(std::string_view message) const;

  int fd_ = -1;
  std::optional<std::chrono::microseconds> watchdog_interval_;
};

}  // namespace tunnelwatch
