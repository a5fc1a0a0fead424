#pragma once

#include "agent/diagnosis/fact.h"
#include "config/ip_address.h"
#include "probes/passive/ike_observation.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::diagnosis {

// What ESP in both directions says of one tunnel: whether it comes back, by which port, and whether its SPI is its own.
class EspEvidence {
 public:
  explicit EspEvidence(Facts& facts) : facts_(facts) {}

  // Packets since the last call. `remote_port`: of the peer for ESP in UDP, 0 for protocol 50.
  void on_packets(bool outbound, std::uint64_t packets, std::uint16_t remote_port, TimePoint at);
  void on_shared_spi(std::uint32_t spi, const IpAddress& other, TimePoint at);
  // The life of the SAs that the packets belong to.
  void on_ike(const passive::IkeObservation& o);
  void on_peer_spoke(TimePoint at) { peer_spoke_ = at; }
  void forget_returns() {
    facts_.forget(FactId::esp_one_way);
    facts_.forget(FactId::esp_unreturned);
  }
  // Packets of both directions were seen.
  bool flows() const { return in_.last && out_.last; }
  void advance(TimePoint now);
  // Whether time alone may change what is known.
  bool waits() const;

 private:
  struct Direction {
    std::uint64_t since_other = 0;  // packets since the other direction was last seen
    TimePoint first_since{};
    std::optional<TimePoint> last;
  };

  void judge_return(TimePoint now);
  void judge_port(std::uint16_t port, TimePoint at);
  void judge_orphans(TimePoint now);

  Facts& facts_;
  Direction out_;
  Direction in_;
  bool in_ever_ = false;  // since the child SA stands
  std::optional<TimePoint> peer_spoke_;
  std::optional<TimePoint> child_since_;
  std::uint16_t remote_port_ = 0;
  std::optional<TimePoint> isakmp_gone_;  // v1: deleted, its children were not
  passive::Side isakmp_gone_by_ = passive::Side::local;
};

}  // namespace tunnelwatch::diagnosis
