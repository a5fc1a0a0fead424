#include "agent/daemon_totals.h"

#include <algorithm>

namespace tunnelwatch::agent {

namespace {

using host::DaemonCounts;

// A daemon that was started again has forgotten all: where one number fell, none goes on.
DaemonCounts difference(const DaemonCounts& now, const DaemonCounts& before) {
  DaemonCounts more = now;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return now;
    more[i] = now[i] - before[i];
  }
  return more;
}

void add(DaemonCounts& to, const DaemonCounts& more) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += more[i];
}

}  // namespace

void DaemonTotals::on_counters(const std::vector<host::DaemonCounters>& counters) {
  since_.clear();
  news_.reset();
  counted_ = !counters.empty();
  std::map<std::string, DaemonCounts, std::less<>> now;
  for (const auto& c : counters) {
    const auto before = last_.find(c.connection);
    const DaemonCounts more = before == last_.end() ? c.counts : difference(c.counts, before->second);
    if (!now.emplace(c.connection, c.counts).second) continue;
    since_.emplace(c.connection, more);
    if (!c.connection.empty()) continue;
    add(daemon_, more);
    if (before != last_.end()) news_ = more;
  }
  if (counted_) last_ = std::move(now);
}

void DaemonTotals::add_to_tunnel(const std::string& tunnel, const std::vector<std::string_view>& connections) {
  for (const std::string_view connection : connections) {
    if (const auto more = since_.find(connection); more != since_.end() && !connection.empty())
      add(tunnels_[tunnel], more->second);
  }
}

void DaemonTotals::keep_tunnels(const std::function<bool(const std::string&)>& stays) {
  std::erase_if(tunnels_, [&](const auto& t) { return !stays(t.first); });
}

const DaemonCounts* DaemonTotals::of_tunnel(const std::string& tunnel) const {
  const auto it = tunnels_.find(tunnel);
  return !counted_ || it == tunnels_.end() ? nullptr : &it->second;
}

}  // namespace tunnelwatch::agent
