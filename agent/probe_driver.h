#pragma once

#include "agent/probing/echo_driver.h"
#include "agent/probing/esp_probe_driver.h"
#include "agent/probing/esp_responder_driver.h"
#include "agent/probing/ike_probe_driver.h"
#include "agent/probing/line_feed.h"
#include "agent/probing/name_watch.h"
#include "agent/probing/window_feed.h"
#include "agent/watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/io/resolver.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tunnelwatch::agent {

// The loop around all that probes: says what is asked, wakes each part when it has work, and hands what they observed
// to the tunnels. One thread, that of the io_context. Reloads keep every counter of what stays.
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
  // About ten times a second: windows of the targets, suspicion, names.
  void tick(TimePoint now);

  std::uint16_t echo_id() const { return echo_.id(); }
  bool is_own_spi(std::uint64_t spi) const { return ike_.is_own_spi(spi); }
  std::uint64_t malformed_esp() const { return esp_.malformed(); }
  std::uint64_t malformed_ike() const { return ike_.malformed(); }
  void report(exporters::Report& report, const WallClock& clock) const;
  // icmp_v4, icmp_v6, ike_probe_v4, ike_probe_v6, esp_probe_v4, esp_probe_v6, those that some target needs: whether
  // they can see.
  std::vector<std::pair<std::string, bool>> sources() const;
  // Why not, one sentence each.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void sync_names();
  void sync_targets();
  void sync_remotes();
  void tell_lookup(const std::string& name, TimePoint now);
  // A peer, a reference or an inner host.
  void want_host(const TargetKey& key, const std::optional<IpAddress>& address, const std::optional<IpAddress>& source);
  // One of the configuration's own.
  void want_target(const config::Target& target);
  // 0 for none. Asked once a sync: thousands of targets may name the same one.
  std::uint32_t index_of(const std::string& interface);
  void complain_about_marks();
  void want_inner(const Tunnel& tunnel, const std::vector<IpAddress>& own_addresses);
  std::optional<IpAddress> address_of(const config::Host& host) const;
  void open_ike(IpFamily family);
  void open_esp(IpFamily family);
  void sync_responder();
  void resolve(TimePoint now);
  void on_resolved(const io::Resolution& resolution);
  void arm();

  struct Timer;
  Watch& watch_;
  config::Settings settings_;
  EchoDriver echo_;
  IkeProbeDriver ike_;
  EspProbeDriver esp_;
  EspResponderDriver responder_;
  NameWatch names_;
  WindowFeed feed_;
  LineFeed lines_;
  io::Resolver resolver_;
  std::unique_ptr<Timer> timer_;
  std::vector<std::string> complaints_;
  std::map<std::string, std::uint32_t> interface_indexes_;
  bool marks_told_ = false;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace tunnelwatch::agent
