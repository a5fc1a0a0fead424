#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <cstdint>
#include <string>

// What was seen beside IKE and ESP. No opinions.
namespace tunnelwatch::passive {

// Packets that left in clear from a tunnel's local side to its remote subnets. A run ends with a pause; counts and
// times are those of the run so far.
struct LeakSummary {
  std::string tunnel;  // as TunnelInterest names it
  std::uint16_t interface = 0;
  bool carries_outer = false;    // packets between this gateway and the peer were seen on this interface lately
  std::uint64_t packets = 0;     //
  std::uint64_t translated = 0;  // of them: from an address of this gateway outside the local subnets
  IpAddress source;              // of the newest
  IpAddress destination;
  TimePoint first{};
  TimePoint last{};
};

}  // namespace tunnelwatch::passive
