#pragma once

#include "agent/diagnosis/esp_evidence.h"
#include "agent/diagnosis/fact.h"
#include "agent/diagnosis/ike_evidence.h"
#include "agent/diagnosis/line_evidence.h"
#include "agent/diagnosis/log_evidence.h"
#include "agent/diagnosis/name_evidence.h"
#include "agent/diagnosis/probe_evidence.h"
#include "config/settings.h"

#include <cstdint>

namespace tunnelwatch::diagnosis {

// From observations to facts, for one tunnel. Windows, counts and hysteresis live in its parts, one for each kind of
// witness; the rules hold no number.
class Evidence {
 public:
  explicit Evidence(const config::LossThresholds& loss = {}) : probes_(facts_, loss) {}
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  void on_ike(const passive::IkeObservation& o);
  // What the peer's name stands for, and the line that the tunnel leaves by.
  NameEvidence& names() { return names_; }
  LineEvidence& line() { return line_; }
  const LineEvidence& line() const { return line_; }
  // ESP since the last call, by direction; ports of ESP in UDP as they came, 0 for protocol 50.
  void on_esp(bool outbound, std::uint64_t packets, std::uint16_t remote_port, TimePoint at);
  // The capture holds one direction only: that nothing comes back is no fact.
  void forget_returns() { esp_.forget_returns(); }
  // Two peers use one SPI towards one address.
  void on_shared_spi(std::uint32_t spi, const IpAddress& other, TimePoint at) { esp_.on_shared_spi(spi, other, at); }
  // An ICMP error quotes a packet of this tunnel that left this gateway. `port` 0: protocol 50; `esp` also for ESP in
  // UDP.
  void on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, bool esp, std::uint16_t port,
                     TimePoint at) {
    // A peer that asked and went away refuses our answer: whoever asked is gone, and no port is blocked.
    const bool asker_left = from_peer && !esp && reason == RefusalReason::port_unreachable && ike_.is_asked_by_peer();
    if (!asker_left) probes_.on_icmp_error(reason, from, from_peer, esp, port, at);
  }
  void on_fragments(const passive::FragmentEvent& event, bool from_peer);
  // IKE with this peer that is not between the addresses of the configuration.
  void on_address(AddressOddity oddity, const IpAddress& seen, const IpAddress& expected, TimePoint at);
  void on_ike_probe(const IkeProbeObservation& o);
  void on_esp_probe(const EspProbeObservation& o) { probes_.on_esp_probe(o); }
  void on_log(const LogHit& hit, TimePoint at, const std::optional<Text>& more = {}) { log_.on_hit(hit, at, more); }
  // The windows of the probes' targets, told about once a second.
  void on_gateway_echo(std::string_view target, const active::EchoWindow& window, TimePoint now) {
    probes_.on_gateway_echo(target, window, now);
    line_.on_echo(window, now);
  }
  void on_reference_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first,
                         bool last) {
    probes_.on_reference_echo(target, window, now, first, last);
  }
  void on_inner_echo(std::string_view target, const active::EchoWindow& window, TimePoint now, bool first, bool last) {
    probes_.on_inner_echo(target, window, now, first, last);
  }
  // The probes cannot see any more: what they said before is unknown.
  void forget_probes() { probes_.forget(); }

  void advance(TimePoint now);
  // Whether advance() would change anything before something else is told.
  bool waits() const;

  const Facts& facts() const { return facts_; }
  bool esp_flows() const { return esp_.flows(); }
  Facts& facts() { return facts_; }  // for the evidence of the tunnel's traffic, which shares them
  // ESP leaves and does not come back, as far as one can see.
  bool misses_esp() const {
    return facts_.is(FactId::esp_unreturned) || facts_.is(FactId::esp_one_way) || facts_.is(FactId::inner_silent);
  }
  // Something looks wrong, and an IKE probe now would help to tell what.
  bool wants_probe() const;

 private:
  unsigned incomplete_trains_ = 0;  // of the peer's fragments, since the last whole one
  Facts facts_;
  IkeEvidence ike_{facts_};
  EspEvidence esp_{facts_};
  ProbeEvidence probes_;
  LogEvidence log_{facts_};
  NameEvidence names_{facts_};
  LineEvidence line_{facts_};
};

}  // namespace tunnelwatch::diagnosis
