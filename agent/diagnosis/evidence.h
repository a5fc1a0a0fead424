#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/active/echo_statistics.h"
#include "probes/observation.h"
#include "probes/passive/ike_observation.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::diagnosis {

// From observations to facts, for one tunnel. Windows, counts and hysteresis live here; the rules hold no number.
class Evidence {
 public:
  explicit Evidence(const config::LossThresholds& loss = {}) : loss_(loss) {}

  void on_ike(const passive::IkeObservation& o);
  // ESP since the last call, by direction; `peer_spoke`: IKE of the peer was seen at that time.
  void on_esp(bool outbound, std::uint64_t packets, TimePoint at);
  // An ICMP error quotes a packet of this tunnel that left this gateway. `port` 0: protocol 50; `esp` also for ESP in
  // UDP.
  void on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, bool esp, std::uint16_t port,
                     TimePoint at);
  void on_ike_probe(const IkeProbeObservation& o);
  // The windows of the probes' targets, told about once a second.
  void on_gateway_echo(std::string_view target, const active::EchoWindow& window, TimePoint now);
  void on_reference_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first,
                         bool last);
  void on_inner_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first, bool last);
  // Whether the probes and the capture can see at all; where not, what they said before is unknown.
  void forget_probes();

  void advance(TimePoint now);
  // Whether advance() would change anything before something else is told.
  bool waits() const;

  const Facts& facts() const { return facts_; }
  // Something looks wrong, and an IKE probe now would help to tell what.
  bool wants_probe() const;

 private:
  void on_unanswered(const passive::IkeObservation& o);
  void deny_what_it_disproves(const passive::IkeObservation& o);
  void judge_esp(TimePoint now);
  bool loses(const active::EchoWindow& window) const;
  void judge_loss(FactId fact, std::string_view target, const active::EchoWindow& window, TimePoint now);

  struct EspSide {
    std::uint64_t since_other = 0;  // packets since the other direction was last seen
    TimePoint first_since{};
    std::optional<TimePoint> last;
  };
  struct ProbePort {
    std::uint32_t silent = 0;
  };

  config::LossThresholds loss_;
  Facts facts_;
  EspSide esp_out_;
  EspSide esp_in_;
  bool esp_in_ever_ = false;  // since the child SA stands
  std::optional<TimePoint> peer_spoke_;
  std::optional<TimePoint> child_since_;
  std::uint32_t cookies_ = 0;
  std::uint32_t group_refusals_ = 0;
  std::uint8_t version_local_ = 0;  // of the last negotiation that each side began
  std::uint8_t version_remote_ = 0;
  ProbePort probe_500_;
  ProbePort probe_4500_;
  bool reference_lossy_ = false;
  bool reference_clean_ = false;
  Text reference_text_;
  bool inner_answers_ = false;
  std::optional<Text> inner_text_;
};

}  // namespace tunnelwatch::diagnosis
