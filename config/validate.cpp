#include "config/validate.h"

#include "config/check_targets.h"
#include "config/document.h"
#include "config/keys.h"
#include "config/units.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tunnelwatch::config {
namespace {

class Validator {
 public:
  Validator(const Settings& settings, const Origins& origins) : settings_(settings), origins_(origins) {}

  Findings run() && {
    check_listen();
    check_probes();
    check_loss();
    check_recorder();
    check_logs();
    check_amounts();
    check_names();
    check_targets(settings_, origins_, findings_);
    for (std::size_t i = 0; i < settings_.tunnels.size(); ++i) check_tunnel(settings_.tunnels[i], i);
    return std::move(findings_);
  }

 private:
  // Whether a rule about these values can be told: all were read well.
  bool readable(std::initializer_list<std::string_view> paths) const {
    for (const auto path : paths) {
      if (origins_.is_broken(path)) return false;
    }
    return true;
  }

  void error(std::string_view path, std::string message) {
    findings_.errors.push_back(origins_.error_at(path, std::move(message)));
  }
  void warning(std::string_view path, std::string message) {
    findings_.warnings.push_back(origins_.error_at(path, std::move(message)));
  }

  void check_listen() {
    if (readable({"listen"}) && settings_.listen.port == 0) error("listen", "the port must not be 0");
  }

  void check_timeout(std::string_view path, milliseconds interval, milliseconds timeout) {
    const auto interval_path = path_of_key(path, "interval");
    const auto timeout_path = path_of_key(path, "timeout");
    if (!readable({interval_path, timeout_path}) || timeout < interval) return;
    error(timeout_path, "must be shorter than the interval: " + format_duration(timeout) + " is not below " +
                            format_duration(interval));
  }

  void check_probes() {
    check_timeout("probes.icmp", settings_.probes.icmp.interval, settings_.probes.icmp.timeout);
    check_buckets();
    check_timeout("probes.ike", settings_.probes.ike.interval, settings_.probes.ike.timeout);
    check_timeout("probes.esp", settings_.probes.esp.interval, settings_.probes.esp.timeout);
  }

  void check_buckets() {
    const std::string path = "probes.icmp.rtt_buckets";
    const auto& buckets = settings_.probes.icmp.rtt_buckets;
    if (!readable({path})) return;
    if (buckets.empty()) error(path, "a histogram wants a bound at least");
    for (std::size_t i = 1; i < buckets.size(); ++i) {
      if (buckets[i] > buckets[i - 1]) continue;
      error(path_of_item(path, i), format_fine_duration(buckets[i]) + " is not above the bound before it");
    }
  }

  void check_loss() {
    const auto& loss = settings_.loss;
    if (!readable({"loss.clear_ratio", "loss.loss_ratio"}) || loss.clear_ratio < loss.loss_ratio) return;
    error("loss.clear_ratio", "must be below loss_ratio: " + format_ratio(loss.clear_ratio) + " is not below " +
                                  format_ratio(loss.loss_ratio));
  }

  void check_recorder() {
    const auto& r = settings_.recorder;
    if (readable({"recorder.directory"}) && !r.directory.empty() && !r.directory.starts_with('/')) {
      error("recorder.directory", shown(r.directory) + " is not an absolute path");
    }
    if (readable({"recorder.bytes", "recorder.quota"}) && r.quota_bytes < r.bytes) {
      error("recorder.quota", "must hold a file: " + format_size(r.quota_bytes) + " is below " + format_size(r.bytes) +
                                  " of recorder.bytes");
    }
  }

  void check_logs() {
    const auto& l = settings_.logs;
    if (readable({"logs.syslog"}) && l.syslog && l.syslog->port == 0) error("logs.syslog", "the port must not be 0");
    if (readable({"logs.syslog", "listen"}) && l.syslog && *l.syslog == settings_.listen)
      error("logs.syslog", "is the address and port of listen");
    if (readable({"logs.journal", "logs.units"}) && !l.journal && !l.units.empty())
      warning("logs.units", "are not heard: logs.journal is false");
  }

  void check_amounts() {
    const auto& s = settings_;
    if (readable({"tunnels", "targets", "discovery.enabled"}) && s.tunnels.empty() && s.targets.empty() &&
        !s.discovery.enabled) {
      error("discovery.enabled", "nothing to watch: there are no tunnels, no targets, and discovery is off");
    }
    if (s.tunnels.size() > kMaxTunnels) {
      error("tunnels",
            std::to_string(s.tunnels.size()) + " tunnels in all; " + std::to_string(kMaxTunnels) + " are allowed");
    }
    if (s.references.size() > kMaxReferences) {
      error("references",
            std::to_string(s.references.size()) + " references; " + std::to_string(kMaxReferences) + " are allowed");
    }
    std::size_t targets = s.targets.size() + s.references.size() + s.tunnels.size();
    for (const Tunnel& tunnel : s.tunnels) {
      targets += tunnel.inner_hosts.size() + (tunnel.remote_tunnel_address ? 1U : 0U);
    }
    if (targets > kMaxTargets) {
      error("tunnels",
            std::to_string(targets) + " hosts to probe in all; " + std::to_string(kMaxTargets) + " are allowed");
    }
  }

  void check_names() {
    std::unordered_map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < settings_.tunnels.size(); ++i) {
      const auto path = path_of_key(path_of_item("tunnels", i), "name");
      if (!readable({path})) continue;
      const auto [first, fresh] = seen.emplace(settings_.tunnels[i].name, i);
      if (fresh) continue;
      const auto first_path = path_of_key(path_of_item("tunnels", first->second), "name");
      error(path,
            shown(settings_.tunnels[i].name) + " is the name of another tunnel, at " + origins_.place_of(first_path));
    }
  }

  void check_tunnel(const Tunnel& tunnel, std::size_t index) {
    const auto path = path_of_item("tunnels", index);
    const auto of = [&path](std::string_view key) { return path_of_key(path, key); };
    check_ends(tunnel, of("local"), of("local_interface"), of("remote"));
    check_subnets(tunnel, of("local_subnets"), of("remote_subnets"));
    check_inner_hosts(tunnel, of("inner_hosts"), of("remote_subnets"));
    check_inside(tunnel, of("local_tunnel_address"), of("remote_tunnel_address"));
    check_tunnel_interface(tunnel, of("tunnel_interface"), of("local_interface"), of("egress_interface"));
    check_bgp(tunnel, of("bgp"), of("tunnel_interface"), of("remote_tunnel_address"));
  }

  void check_inside(const Tunnel& tunnel, std::string_view local, std::string_view remote) {
    if (!readable({local, remote}) || !tunnel.local_tunnel_address || !tunnel.remote_tunnel_address) return;
    if (tunnel.local_tunnel_address->family() != tunnel.remote_tunnel_address->family()) {
      error(remote, "is of another address family than local_tunnel_address");
    } else if (*tunnel.local_tunnel_address == *tunnel.remote_tunnel_address) {
      error(remote, "is the same address as local_tunnel_address");
    }
  }

  void check_tunnel_interface(const Tunnel& tunnel, std::string_view path, std::string_view local,
                              std::string_view egress) {
    if (!readable({path, local, egress})) return;
    if (tunnel.kind == TunnelKind::openvpn && tunnel.tunnel_interface.empty())
      error(path, "is needed for an OpenVPN client: whether it stands is told by its interface, such as tun0");
    if (tunnel.tunnel_interface.empty()) return;
    if (tunnel.tunnel_interface == tunnel.local_interface || tunnel.tunnel_interface == tunnel.egress_interface) {
      error(path, "is the interface that the tunnel's outer packets leave by; give the one whose packets are inside");
    }
  }

  void check_bgp(const Tunnel& tunnel, std::string_view path, std::string_view interface, std::string_view remote) {
    if (!readable({path, interface, remote}) || (tunnel.bgp.local_as == 0 && tunnel.bgp.remote_as == 0)) return;
    if (tunnel.tunnel_interface.empty() && !tunnel.remote_tunnel_address) {
      warning(path, "is not compared: which BGP is this tunnel's only tunnel_interface or remote_tunnel_address tells");
    }
  }

  void check_ends(const Tunnel& tunnel, std::string_view local, std::string_view interface, std::string_view remote) {
    if (readable({local, interface}) && tunnel.local && !tunnel.local_interface.empty()) {
      error(interface, "stands beside local; give one of the two");
    }
    if (!readable({local, remote}) || !tunnel.local || !tunnel.remote.address) return;
    if (tunnel.local->family() != tunnel.remote.address->family()) {
      error(local, "is of another address family than remote " + tunnel.remote.name);
    } else if (*tunnel.local == *tunnel.remote.address) {
      error(local, "is the same address as remote");
    }
  }

  void check_subnets(const Tunnel& tunnel, const std::string& local_path, const std::string& remote_path) {
    if (!readable({local_path, remote_path})) return;
    for (std::size_t i = 0; i < tunnel.remote_subnets.size(); ++i) {
      const IpPrefix& remote = tunnel.remote_subnets[i];
      for (const IpPrefix& local : tunnel.local_subnets) {
        // A route-based tunnel offers everything on both sides and lets routes decide.
        if (!remote.overlaps(local) || remote.length == 0 || local.length == 0) continue;
        const auto path = path_of_item(remote_path, i);
        if (remote == local) {
          error(path, remote.to_string() + " is in local_subnets too");
        } else {
          warning(path, remote.to_string() + " overlaps " + local.to_string() + " of local_subnets");
        }
      }
    }
  }

  void check_inner_hosts(const Tunnel& tunnel, const std::string& hosts_path, const std::string& subnets_path) {
    if (!readable({hosts_path, subnets_path}) || tunnel.remote_subnets.empty()) return;
    for (std::size_t i = 0; i < tunnel.inner_hosts.size(); ++i) {
      const auto& host = tunnel.inner_hosts[i];
      if (!host.address) continue;
      bool inside = false;
      for (const IpPrefix& subnet : tunnel.remote_subnets) inside = inside || subnet.contains(*host.address);
      inside = inside || host.address == tunnel.remote_tunnel_address;
      if (!inside) error(path_of_item(hosts_path, i), host.name + " is in none of remote_subnets");
    }
  }

  const Settings& settings_;
  const Origins& origins_;
  Findings findings_;
};

}  // namespace

Findings validate(const Settings& settings, const Origins& origins) { return Validator(settings, origins).run(); }

}  // namespace tunnelwatch::config
