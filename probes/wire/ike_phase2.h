#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

#include <boost/container/static_vector.hpp>

// The SA payload of IKEv1's quick mode (RFC 2407 section 4.4 and 4.5). It is encrypted on the wire; in clear it is seen
// where a capture was decrypted, or made by a test.
namespace tunnelwatch::wire {

// One transform of one proposal. Proposals of the same number are offered together (ESP with IPCOMP).
struct Phase2Transform {
  std::uint8_t proposal = 0;
  std::uint8_t protocol = 0;  // 2 AH, 3 ESP, 4 IPCOMP
  std::uint8_t id = 0;
  Bytes spi;                         // of the proposal
  std::uint32_t life_seconds = 0;    // attributes 1 = 1, 2
  std::uint32_t life_kilobytes = 0;  // attributes 1 = 2, 2
  std::uint16_t group = 0;           // 3: perfect forward secrecy
  std::uint16_t encapsulation = 0;   // 4
  std::uint16_t authentication = 0;  // 5
  std::uint16_t key_bits = 0;        // 6
  bool extended_sequence = false;    // 11
};
inline constexpr std::size_t kMaxPhase2Transforms = 64;
using Phase2Transforms = boost::container::static_vector<Phase2Transform, kMaxPhase2Transforms>;
Parsed<Phase2Transforms> parse_sa_v1_phase2(Bytes body) noexcept;

}  // namespace tunnelwatch::wire
