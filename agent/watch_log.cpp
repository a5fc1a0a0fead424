#include "agent/watch.h"
#include "config/syntax.h"

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
    named->on_log(hit, at);
    return true;
  }
  std::size_t found = 0;
  const auto peer = hit.peer ? hit.peer : peer_called(hit.connection);
  if (peer) {
    tunnels_.visit_remote(*peer, [&](Tunnel& t) {
      t.on_log(hit, at);
      ++found;
    });
    if (found != 0 || target == LogTarget::certain || !options_.offline) return found != 0;
    Tunnel* fresh = discover_for_log(peer->to_string(), *peer);
    if (fresh != nullptr) fresh->on_log(hit, at);
    return fresh != nullptr;
  }
  if (target == LogTarget::certain) return false;
  if (tunnels_.all().empty() && options_.offline) discover_for_log(std::string(kNobody), {});
  Tunnel* const one = hit.match.family == diagnosis::LogFamily::openvpn ? the_only_client() : the_only_tunnel();
  if (one != nullptr) one->on_log(hit, at);
  return one != nullptr;
}

Tunnel* Watch::the_only_tunnel() const { return tunnels_.all().size() == 1 ? tunnels_.all().front().get() : nullptr; }

// Whose the words of an OpenVPN client are: the client's, where one is configured.
Tunnel* Watch::the_only_client() const {
  Tunnel* client = nullptr;
  for (const auto& tunnel : tunnels_.all()) {
    if (tunnel->settings().kind != config::TunnelKind::openvpn) continue;
    if (client != nullptr) return nullptr;
    client = tunnel.get();
  }
  return client != nullptr ? client : the_only_tunnel();
}

std::optional<IpAddress> Watch::peer_called(std::string_view name) const {
  const auto it = std::find_if(peer_names_.begin(), peer_names_.end(), [&](const auto& p) { return p.second == name; });
  return name.empty() || it == peer_names_.end() ? std::nullopt : std::optional(it->first);
}

// A name becomes a label: what is no name of a tunnel is not taken. Of two connections to one peer the first counts.
void Watch::name_peers(const host::DaemonView& view) {
  constexpr std::size_t kMost = 4096;
  peer_names_.clear();
  const auto add = [this](const IpAddress& peer, const std::string& name) {
    if (config::is_tunnel_name(name) && peer_names_.size() < kMost) peer_names_.emplace(peer, name);
  };
  for (const auto& connection : view.connections) {
    for (const IpAddress& remote : connection.remote_addresses) add(remote, connection.name);
  }
  for (const auto& sa : view.sas) {
    if (sa.remote) add(*sa.remote, sa.connection);
  }
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
