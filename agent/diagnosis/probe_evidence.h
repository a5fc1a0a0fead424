#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/active/echo_statistics.h"
#include "probes/observation.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tunnelwatch::diagnosis {

// What our own probes, and ICMP errors about the tunnel's packets, say of one tunnel.
class ProbeEvidence {
 public:
  ProbeEvidence(Facts& facts, const config::LossThresholds& loss) : facts_(facts), loss_(loss) {}

  void on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, bool esp, std::uint16_t port,
                     TimePoint at);
  void on_ike_probe(const IkeProbeObservation& o);
  // A packet of protocol 50 to the peer of a tunnel whose ESP is not in UDP.
  void on_esp_probe(const EspProbeObservation& o);
  void on_gateway_echo(std::string_view target, const active::EchoWindow& window, TimePoint now);
  // A round over all references, and over all inner hosts: `first` begins it, `last` concludes.
  void on_reference_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first,
                         bool last);
  void on_inner_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first, bool last);
  void forget();

  // A probe went unanswered, and the next one would tell whether by chance.
  bool wants_ike_probe() const { return silent_500_ == 1 || silent_4500_ == 1; }

 private:
  bool loses(const active::EchoWindow& window) const;
  void judge_loss(FactId fact, std::string_view target, const active::EchoWindow& window, TimePoint now);

  Facts& facts_;
  config::LossThresholds loss_;
  std::uint32_t silent_500_ = 0;  // IKE probes in a row
  std::uint32_t silent_4500_ = 0;
  void note_outside(TimePoint now);

  std::optional<TimePoint> outside_lost_;  // when the way outside was last found to lose
  bool reference_lossy_ = false;
  bool reference_clean_ = false;
  Text reference_text_;
  bool inner_answers_ = false;
  std::optional<Text> inner_text_;
};

}  // namespace tunnelwatch::diagnosis
