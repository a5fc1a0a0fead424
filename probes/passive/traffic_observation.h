#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <cstdint>
#include <optional>
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

// Echo requests to this end's address inside the tunnel. Counts are those since the capture began.
struct TunnelPingSummary {
  std::string tunnel;  // as TunnelInterest names it
  std::uint16_t interface = 0;
  bool inside = false;  // seen on the tunnel's own interface: answers would be seen too
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t unanswered_in_a_row = 0;  // up to now, those that may still be answered not counted
  IpAddress from;                         // who asked last
  TimePoint row_since{};                  // the first of the unanswered row
  TimePoint last{};                       // of the requests
};

// When IKE or ESP of a tunnel was last seen on one interface, by direction.
struct OuterPathSummary {
  std::string tunnel;  // as TunnelInterest names it
  std::uint16_t interface = 0;
  std::optional<TimePoint> out;
  std::optional<TimePoint> in;
};

enum class BgpSight : std::uint8_t {
  open,      // the speaker says who it is: as_number
  accepted,  // it takes the other end's OPEN, by a KEEPALIVE
  refused,   // a NOTIFICATION before that: code, subcode
};

// One message at the beginning of a BGP session.
struct BgpObservation {
  BgpSight sight = BgpSight::open;
  IpAddress speaker;
  IpAddress other;
  std::uint16_t interface = 0;
  std::uint32_t as_number = 0;  // as the speaker's OPEN says it, 0 where none was seen
  std::uint32_t other_as = 0;   // as the other end's does
  std::uint8_t code = 0;
  std::uint8_t subcode = 0;
  TimePoint at{};
};

}  // namespace tunnelwatch::passive
