#include "agent/watch.h"

#include <algorithm>

// What a log names finds its tunnel here: by the connection's name, by the peer's address, or because there is one
// only.
namespace tunnelwatch::agent {

namespace {

// A file of log lines that names nobody is about somebody all the same.
constexpr std::string_view kNobody = "log";

}  // namespace

bool Watch::on_log(const diagnosis::LogHit& hit, TimePoint at, LogTarget target) {
  if (Tunnel* named = hit.connection.empty() ? nullptr : find(hit.connection); named != nullptr) {
    named->evidence().on_log(hit, at);
    return true;
  }
  std::size_t found = 0;
  if (hit.peer) {
    tunnels_.visit_remote(*hit.peer, [&](Tunnel& t) {
      t.evidence().on_log(hit, at);
      ++found;
    });
    if (found != 0 || target == LogTarget::certain || !options_.offline) return found != 0;
    Tunnel* fresh = discover_for_log(hit.peer->to_string(), *hit.peer);
    if (fresh != nullptr) fresh->evidence().on_log(hit, at);
    return fresh != nullptr;
  }
  if (target == LogTarget::certain) return false;
  if (tunnels_.all().empty() && options_.offline) discover_for_log(std::string(kNobody), {});
  if (tunnels_.all().size() != 1) return false;
  tunnels_.all().front()->evidence().on_log(hit, at);
  return true;
}

Tunnel* Watch::discover_for_log(std::string name, const std::optional<IpAddress>& remote) {
  if (tunnels_.discovered() >= options_.discovery.max_tunnels || find(name) != nullptr) return nullptr;
  config::Tunnel settings;
  settings.name = std::move(name);
  if (remote) settings.remote = {remote->to_string(), remote};
  ++counters_.discovered;
  return &tunnels_.add(std::make_unique<Tunnel>(std::move(settings), false, options_.loss));
}

}  // namespace tunnelwatch::agent
