#pragma once

#include "agent/watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/active/echo_statistics.h"
#include "probes/active/icmp_echo.h"
#include "probes/active/ike_probe.h"
#include "probes/io/icmp_socket.h"
#include "probes/io/resolver.h"
#include "probes/io/udp_socket.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// The loop around the probe machines: sends what they want sent, feeds them what comes back, and hands what they
// observed to the tunnels. One thread, that of the io_context. Reloads keep every counter of what stays.
class ProbeDriver {
 public:
  ProbeDriver(boost::asio::io_context& io, Watch& watch, const config::Settings& settings, std::uint64_t seed);
  ~ProbeDriver();
  ProbeDriver(const ProbeDriver&) = delete;
  ProbeDriver& operator=(const ProbeDriver&) = delete;

  // Opens what sockets it can; what it cannot is told by sources().
  void start();
  void stop();
  // New settings, or tunnels that came and went: targets follow.
  void sync(const config::Settings& settings);
  // Does what is due now; the agent calls it on every tick as well, the driver's own timer in between.
  void drive();
  // About four times a second: windows of the targets, suspicion, names.
  void tick(TimePoint now);

  std::uint16_t echo_id() const { return echo_.id(); }
  bool is_own_spi(std::uint64_t spi) const { return ike_.is_own_spi(spi); }
  void report(exporters::Report& report, const WallClock& clock) const;
  // icmp_v4, icmp_v6, ike_probe_v4, ike_probe_v6, those that some target needs: whether they can see.
  std::vector<std::pair<std::string, bool>> sources() const;
  // Why not, one sentence each.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  enum class Role : std::uint8_t { gateway, reference, inner };
  struct TargetKey {
    std::string tunnel;  // empty for a reference
    Role role = Role::reference;
    std::string target;
    auto operator<=>(const TargetKey&) const = default;
  };
  struct Target {
    std::uint32_t id = 0;
    std::optional<IpAddress> address;
    std::optional<IpAddress> source;
    active::EchoStatistics statistics;
    bool is_name = false;
    bool wanted = true;   // still in the settings
    bool changed = true;  // its window says something new
    TimePoint resolved_at{};
    bool resolving = false;
  };
  struct ProbePort {
    std::array<std::uint64_t, kIkeProbeOutcomeCount> outcomes{};
    std::array<std::uint64_t, kRefusalReasonCount> refused{};
    std::vector<std::uint64_t> rtt_counts;
    double rtt_sum = 0;
    std::optional<bool> reachable;
    std::string last_answer;
  };
  struct ProbedTunnel {
    std::uint32_t id = 0;
    std::optional<IpAddress> address;
    ProbePort port_500;
    ProbePort port_4500;
    bool wanted = true;
    std::optional<TimePoint> pushed;
  };

  static std::string_view to_string(Role role);
  void want_target(const TargetKey& key, const config::Host& host, const std::optional<IpAddress>& address,
                   const std::optional<IpAddress>& source);
  void want_probe(const Tunnel& tunnel);
  void forget_unwanted();
  void resolve(const TargetKey& key, Target& target, TimePoint now);
  void open_icmp(IpFamily family);
  void open_udp(IpFamily family);
  void drain();
  void send_echoes();
  void send_ike();
  void observe_echoes();
  void observe_ike();
  void on_ike_result(const IkeProbeObservation& o);
  void feed_windows(TimePoint now);
  void arm();

  struct Timer;
  boost::asio::io_context& io_;
  Watch& watch_;
  config::Settings settings_;
  std::uint64_t seed_;
  active::IcmpEcho echo_;
  active::IkeProbe ike_;
  io::Resolver resolver_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<io::IcmpSocket> icmp_[2];   // by family
  std::unique_ptr<io::UdpSocket> udp_[2][2];  // by family, by port (500, 4500)
  std::vector<std::string> complaints_;
  active::EchoActions echo_actions_;
  active::IkeProbeActions ike_actions_;
  std::vector<io::SentIcmp> sent_;
  std::map<TargetKey, Target> targets_;
  std::map<std::uint32_t, std::pair<const TargetKey, Target>*> target_by_id_;
  std::map<std::string, ProbedTunnel> probed_;
  std::map<std::uint32_t, std::pair<const std::string, ProbedTunnel>*> probed_by_id_;
  std::uint32_t next_id_ = 1;
  TimePoint next_full_feed_{};
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace tunnelwatch::agent
