#pragma once

#include "agent/diagnosis/log_hit.h"
#include "agent/tunnel.h"
#include "agent/tunnel_list.h"
#include "config/settings.h"
#include "probes/host/daemon_view.h"
#include "probes/observation.h"
#include "probes/passive/ike_tracker.h"
#include "probes/passive/packet_sink.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// Everything that decides, and nothing that does I/O: packets and probe results in, verdicts out. `analyze` feeds it
// from files, the daemon from its capture threads and probes; both get the same diagnosis. One thread.
class Watch final : public passive::PacketSink, public passive::IkePeerSink {
 public:
  struct Options {
    config::Discovery discovery;
    config::LossThresholds loss;
    bool offline = false;  // a file's strangers are what the operator asks about; live ones are background noise
  };
  struct Counters {
    std::uint64_t discovered = 0;  // since the start
    std::uint64_t evicted = 0;
  };
  // Something worth a log line.
  using OnChange = std::function<void(const Tunnel&, const Tunnel::Settled&, TimePoint)>;
  // Each observation of IKE, behind what the tunnels made of it.
  using OnObservation = std::function<void(const passive::PeerKey&, const passive::IkeObservation&)>;

  explicit Watch(Options options);

  void set_on_change(OnChange on_change) { on_change_ = std::move(on_change); }
  void set_on_observation(OnObservation on_observation) { on_observation_ = std::move(on_observation); }
  // The tunnels of the configuration; those that stay keep what they counted.
  void configure(const std::vector<config::Tunnel>& tunnels);
  // The name of a configured tunnel's peer was looked up.
  void set_remote(Tunnel& tunnel, const IpAddress& address, TimePoint now);
  void set_options(Options options) { options_ = options; }

  passive::IkeTracker& tracker() { return tracker_; }
  const passive::IkeTracker& tracker() const { return tracker_; }

  // PacketSink
  void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) override;
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) override;
  void on_nat_keepalive(const wire::Datagram& keepalive, TimePoint at) override;
  void on_esp(const passive::EspStreamSummary& stream) override;
  void on_fragments(const passive::FragmentEvent& event) override;
  void on_leak(const passive::LeakSummary& leak) override;
  void on_outer_path(const passive::OuterPathSummary& path) override;
  void on_tunnel_pings(const passive::TunnelPingSummary& pings) override;
  void on_bgp(const passive::BgpObservation& observation) override;
  // IkePeerSink
  void on_ike(const passive::PeerKey& peer, const passive::IkeObservation& observation) override;
  void on_state(const passive::PeerKey& peer) override;
  void on_forgotten(const passive::PeerKey& peer) override;

  // Addresses of this machine, so that nothing about direction is guessed.
  void set_local_addresses(std::vector<IpAddress> addresses);
  // What an interface's number in observations stands for.
  void name_interface(std::uint16_t interface, std::string name) { interfaces_[interface] = std::move(name); }

  // A line of a log that names a cause. False where it cannot be told whose: a line that names nobody is that of the
  // only tunnel, and offline a peer that nobody has seen gets a tunnel of its own, once all else is known.
  enum class LogTarget : std::uint8_t {
    certain,  // by its name or a peer that is known
    any,
  };
  bool on_log(const diagnosis::LogHit& hit, TimePoint at, LogTarget target = LogTarget::any);

  // What the IKE daemon calls its peers: the names of tunnels that are discovered from now on, and those in its log.
  void name_peers(const host::DaemonView& view);

  // Time passes; draws all conclusions that are due.
  void advance(TimePoint now);
  // Draws the conclusions from what came since the last call.
  void settle(TimePoint now) {
    if (tunnels_.any_changed()) settle_changed(now);  // asked for every packet of a file
  }
  // The end of a file.
  void finish(TimePoint now);

  const std::vector<std::unique_ptr<Tunnel>>& tunnels() const { return tunnels_.all(); }
  Tunnel* find(std::string_view name) const { return tunnels_.find(name); }
  bool any_tunnel_between(const IpAddress& a, const IpAddress& b) const { return tunnels_.any_between(a, b); }
  const passive::IkePeerView* view_of(const Tunnel& tunnel) const;
  const Counters& counters() const { return counters_; }
  std::vector<exporters::TunnelReport> report(const WallClock& clock,
                                              exporters::Detail detail = exporters::Detail::all) const;

 private:
  Tunnel* discover(const passive::PeerKey& key);
  std::optional<IpAddress> peer_called(std::string_view name) const;
  Tunnel* the_only_tunnel() const;
  Tunnel* the_only_client() const;
  Tunnel* discover_for_log(std::string name, const std::optional<IpAddress>& remote);
  void settle_changed(TimePoint now);
  void forget_idle(TimePoint now);
  void judge_spi(const passive::EspStreamSummary& stream, const passive::PeerKey& key);
  void judge_source(const wire::Datagram& datagram, TimePoint at);
  std::string_view interface_name(std::uint16_t interface) const;
  bool is_own(const IpAddress& address) const;
  bool is_bgp_of(const config::Tunnel& tunnel, const passive::BgpObservation& observation) const;
  std::optional<passive::Side> side_of(const config::Tunnel& tunnel, const passive::BgpObservation& observation) const;
  void on_bgp_of_file(const passive::BgpObservation& observation);

  Options options_;
  OnChange on_change_;
  TunnelList tunnels_;
  OnObservation on_observation_;
  passive::IkeTracker tracker_;
  struct SpiUse {
    IpAddress source;
    unsigned turns = 0;  // how often another source took over
  };
  std::map<std::pair<IpAddress, std::uint32_t>, SpiUse> spis_;  // by destination and SPI, bounded
  const wire::Datagram* current_ = nullptr;                     // what the tracker is reading
  Counters counters_;
  std::map<std::uint16_t, std::string> interfaces_;
  std::map<IpAddress, std::string> peer_names_;  // as the IKE daemon calls them
  std::vector<IpAddress> local_addresses_;       // empty: not known
};

}  // namespace tunnelwatch::agent
