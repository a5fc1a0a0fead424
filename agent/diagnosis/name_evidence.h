#pragma once

#include "agent/diagnosis/fact.h"
#include "config/ip_address.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tunnelwatch::diagnosis {

// What the look-ups of the peer's name say of a tunnel.
class NameEvidence {
 public:
  explicit NameEvidence(Facts& facts) : facts_(facts) {}

  // The name stands for another address from now on. What was known of the old one is unknown of the new one.
  // `stands`: an IKE SA with the new address stands already, so that the gateway has followed.
  void on_change(std::string_view name, const IpAddress& before, const IpAddress& after, bool stands, TimePoint at);
  // A look-up ended; `failures` in a row, 0 where it gave an address.
  void on_lookup(std::string_view name, std::uint32_t failures, std::string_view error, TimePoint at);
  // An IKE SA stands: with the new address, for the tunnel is bound to that.
  void on_established(TimePoint at);
  void advance(TimePoint now);
  bool waits() const { return changed_.has_value(); }

 private:
  Facts& facts_;
  std::optional<TimePoint> changed_;
};

}  // namespace tunnelwatch::diagnosis
