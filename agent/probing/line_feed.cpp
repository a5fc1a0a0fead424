#include "agent/probing/line_feed.h"

#include "probes/io/default_interfaces.h"
#include "probes/io/interface_counters.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kEvery = 1s;

// The configured egress, else the interface that holds the tunnel's address, else that of the only default route.
std::string line_of(const config::Tunnel& tunnel) {
  if (!tunnel.egress_interface.empty()) return tunnel.egress_interface;
  if (!tunnel.local_interface.empty()) return tunnel.local_interface;
  const auto defaults = io::default_interfaces();
  return defaults.size() == 1 ? defaults.front() : std::string();
}

}  // namespace

void LineFeed::feed(const Watch& watch, TimePoint now) {
  if (now < next_) return;
  next_ = now + kEvery;
  std::map<std::string, std::optional<io::InterfaceCounters>> read;  // each once
  for (const auto& tunnel : watch.tunnels()) {
    const auto& s = tunnel->settings();
    if (s.bandwidth.egress == 0 && std::as_const(*tunnel).evidence().line().limit() == 0) continue;
    auto& line = tunnel->evidence().line();
    line.set_limit(s.bandwidth.egress);
    const std::string interface = line_of(s);
    const auto [it, is_new] = read.try_emplace(interface);
    if (is_new && !interface.empty()) it->second = io::interface_counters(interface);
    if (it->second) {
      line.on_counters(interface, {it->second->sent_bytes, it->second->received_bytes}, now);
    } else {
      line.on_blind();
    }
  }
}

}  // namespace tunnelwatch::agent
