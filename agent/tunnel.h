#pragma once

#include "agent/diagnosis/esp_reach.h"
#include "agent/diagnosis/evidence.h"
#include "agent/diagnosis/offer_evidence.h"
#include "agent/diagnosis/traffic_evidence.h"
#include "agent/diagnosis/verdict.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/passive/ike_tracker.h"
#include "probes/passive/packet_sink.h"
#include "probes/prefetch.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <boost/circular_buffer.hpp>

namespace tunnelwatch::agent {

// All that the agent keeps of one tunnel: what the configuration says, what was observed, what follows from it.
class Tunnel {
 public:
  Tunnel(config::Tunnel settings, bool configured, const config::LossThresholds& loss);

  const config::Tunnel& settings() const { return settings_; }
  const std::string& name() const { return settings_.name; }
  bool configured() const { return configured_; }
  // New settings of the same tunnel at a reload: nothing already counted is lost.
  void reconfigure(config::Tunnel settings) {
    settings_ = std::move(settings);
    traffic_.reconfigure(settings_);
    offers_.reconfigure(settings_);
    pinged_inside_ = diagnosis::pinged_inside(settings_);
    note_kind();
  }
  // Its inner hosts, and the peer's own address inside.
  const std::vector<config::Host>& pinged_inside() const { return pinged_inside_; }

  bool matches(const passive::PeerKey& key) const;
  const std::optional<passive::PeerKey>& peer() const { return peer_; }
  void bind(const passive::PeerKey& key) { peer_ = key; }
  void set_remote(const std::optional<IpAddress>& address) {
    if (peer_ && peer_->remote != address) peer_.reset();  // the next packets bind it anew
    if (remote_ != address) reach_ = {};                   // what was said is about another way
    remote_ = address;
  }
  const std::optional<IpAddress>& remote() const { return remote_; }
  // What the peer's ESP streams have carried, each as of its newest summary.
  std::vector<passive::EspStreamSummary> inbound_streams() const {
    std::vector<passive::EspStreamSummary> list;
    for (const Stream& s : streams_) {
      if (!s.outbound) list.push_back(s.last);
    }
    return list;
  }

  // One of its packets is being read.
  void expect_packet() const {
    prefetch(this, kHotBytes);
    prefetch(&evidence_, kHotBytes);
  }
  void on_ike(const passive::IkeObservation& observation);
  void on_esp(const passive::EspStreamSummary& stream, bool outbound);
  void on_log(const diagnosis::LogHit& hit, TimePoint at);
  diagnosis::Evidence& evidence() {
    mark_changed();
    return evidence_;
  }
  const diagnosis::Evidence& evidence() const { return evidence_; }
  diagnosis::TrafficEvidence& traffic() {
    mark_changed();
    traffic_told_ = true;
    return traffic_;
  }

  // Whether its ESP gets through. The facts are told what a probe says too, where the tunnel's ESP is as the probe was.
  void on_esp_probe(const EspProbeObservation& o) {
    reach_.on_probe(o);
    if (!reach_.in_udp().value_or(false)) evidence().on_esp_probe(o);
  }
  diagnosis::EspReach& esp_reach() { return reach_; }
  const diagnosis::EspReach& esp_reach() const { return reach_; }

  // Where this tunnel puts itself when something is told to it that settle() has not seen yet; null: nowhere.
  void tell_changes_to(std::vector<Tunnel*>* changed);
  // Draws the conclusions. True where the state or a cause changed.
  struct Settled {
    std::vector<diagnosis::VerdictChange> causes;
    std::optional<passive::PeerState> state;  // where it changed
  };
  Settled settle(const passive::IkePeerView* view, TimePoint now);

  void note_state() { mark_changed(); }
  bool waits() const { return evidence_.waits() || (traffic_told_ && traffic_.waits()); }
  bool listed = false;  // among those that the list advances

  passive::PeerState state() const { return state_; }
  const diagnosis::Verdict& verdict() const { return verdict_; }
  TimePoint last_heard() const { return last_heard_; }
  bool wants_probe() const { return evidence_.wants_probe(); }

  exporters::TunnelReport report(const passive::IkePeerView* view, const WallClock& clock,
                                 exporters::Detail detail) const;

 private:
  void note_kind();
  bool is_told_again(const passive::IkeObservation& o) const;
  void keep(const passive::IkeObservation& event);
  passive::PeerState client_state() const;
  exporters::CauseReport cause_report(const diagnosis::CauseHistory& cause, const WallClock& clock,
                                      exporters::Detail detail) const;
  void report_esp_reach(exporters::TunnelReport& report, const WallClock& clock, exporters::Detail detail) const;
  void report_texts(exporters::TunnelReport& report, const passive::IkePeerView* view, const WallClock& clock) const;
  void mark_changed() {
    if (!changed_ && changed_list_ != nullptr) changed_list_->push_back(this);
    changed_ = true;
  }

  static constexpr std::size_t kMaxEvents = 128;
  static constexpr std::size_t kMaxStreams = 32;

  // What every packet asks for comes first and together, here and in evidence_: with a thousand tunnels one is far from
  // the cache.
  static constexpr std::size_t kHotBytes = 192;
  std::optional<IpAddress> remote_;
  std::optional<passive::PeerKey> peer_;
  TimePoint last_heard_{};
  bool configured_;
  bool changed_ = true;        // since the last settle()
  bool traffic_told_ = false;  // something was ever told to traffic_
  bool dead_ = false;  // by the verdict nothing gets through: an SA that stands all the same is no tunnel that is up
  passive::PeerState state_ = passive::PeerState::unknown;
  std::optional<TimePoint> state_since_;
  std::uint64_t judged_ = ~std::uint64_t{0};  // the revision of the facts that the verdict is about
  std::vector<Tunnel*>* changed_list_ = nullptr;
  config::Tunnel settings_;
  diagnosis::Evidence evidence_;
  diagnosis::TrafficEvidence traffic_;  // shares the facts of evidence_
  diagnosis::OfferEvidence offers_;     // likewise
  diagnosis::EspReach reach_;
  diagnosis::Verdict verdict_;
  std::vector<config::Host> pinged_inside_;
  boost::circular_buffer<passive::IkeObservation> events_;  // the newest; has room for kMaxEvents by and by
  std::array<std::uint64_t, passive::kIkeSightCount> event_counts_{};
  struct Stream {
    passive::EspStreamSummary last;
    bool outbound = false;
  };
  std::vector<Stream> streams_;
  exporters::EspTotals esp_in_;
  exporters::EspTotals esp_out_;
};

std::string_view to_string(passive::PeerState state);

}  // namespace tunnelwatch::agent
