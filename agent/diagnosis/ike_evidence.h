#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/packet_sink.h"

#include <array>
#include <cstdint>
#include <optional>

namespace tunnelwatch::diagnosis {

// IKE between other addresses than the configuration names.
enum class AddressOddity : std::uint8_t {
  other_remote,       // the peer begins or answers from an address that is not the configured one
  other_local,        // this gateway's IKE leaves from another of its addresses
  source_translated,  // this gateway's IKE daemon believes to send from the configured one, but the packet has another
};

// What the negotiation itself says of one tunnel.
class IkeEvidence {
 public:
  explicit IkeEvidence(Facts& facts) : facts_(facts) {}

  void on_observation(const passive::IkeObservation& o);
  // Traffic of the peer denies what a packet before it suggested.
  void on_inbound_esp(TimePoint at);
  // The last negotiation was begun by the peer, and nothing has come of it.
  bool is_asked_by_peer() const { return asker_ == passive::Side::remote && !facts_.is(FactId::ike_up); }

 private:
  // The last times that something normal happened: often within a while it is normal no more.
  class Repetition {
   public:
    // True where this is the `count`th within `window`.
    bool happened(TimePoint at, std::size_t count, Duration window);
    void reset() { filled_ = 0; }

   private:
    static constexpr std::size_t kKept = 8;
    std::array<TimePoint, kKept> times_{};
    std::size_t next_ = 0;
    std::size_t filled_ = 0;
  };

  void deny_what_it_disproves(const passive::IkeObservation& o);
  void on_unanswered(const passive::IkeObservation& o);
  void on_refusal(const passive::IkeObservation& o);
  void on_life(const passive::IkeObservation& o);
  void on_clear_notify(const passive::IkeObservation& o);

  Facts& facts_;
  std::uint32_t cookies_ = 0;
  std::uint32_t group_refusals_ = 0;
  std::optional<passive::Side> asker_;  // of the last negotiation
  std::uint8_t version_local_ = 0;      // of the last negotiation that each side began
  std::uint8_t version_remote_ = 0;
  std::array<TimePoint, 2> answered_{TimePoint::min(), TimePoint::min()};  // when each side last answered a request
  Repetition ike_replacements_;
  Repetition child_replacements_;
  Repetition kicks_;
};

}  // namespace tunnelwatch::diagnosis
