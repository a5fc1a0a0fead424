#pragma once

#include "probes/host/daemon_counters.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::agent {

// Counters of ours made of the IKE daemon's: they go on where a daemon that was started again, or whose counters were
// set back, begins anew, and so never fall. Pure.
class DaemonTotals {
 public:
  // What the daemon counts now; empty: it does not count.
  void on_counters(const std::vector<host::DaemonCounters>& counters);
  // What the last on_counters() brought belongs to this tunnel as far as it was counted for these connections.
  void add_to_tunnel(const std::string& tunnel, const std::vector<std::string_view>& connections);
  // Those that are gone take their numbers with them.
  void keep_tunnels(const std::function<bool(const std::string&)>& stays);

  // Nothing while the daemon does not count.
  const host::DaemonCounts* of_daemon() const { return counted_ ? &daemon_ : nullptr; }
  const host::DaemonCounts* of_tunnel(const std::string& tunnel) const;
  // How many of the whole daemon's the last on_counters() brought; nothing the first time, when they are history.
  std::optional<host::DaemonCounts> news() const { return news_; }

 private:
  bool counted_ = false;
  host::DaemonCounts daemon_{};
  std::optional<host::DaemonCounts> news_;
  std::map<std::string, host::DaemonCounts, std::less<>> last_;   // by connection, as the daemon told them
  std::map<std::string, host::DaemonCounts, std::less<>> since_;  // by connection: what the last call brought
  std::map<std::string, host::DaemonCounts, std::less<>> tunnels_;
};

}  // namespace tunnelwatch::agent
