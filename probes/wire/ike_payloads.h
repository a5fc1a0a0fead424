#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

#include <boost/container/static_vector.hpp>

// The bodies of the clear payloads that say something about an outcome. Each function takes a payload's body, behind
// the generic payload header.
namespace tunnelwatch::wire {

// RFC 7296 section 3.10; RFC 2408 section 3.14 (there preceded by a four-byte DOI).
struct IkeNotify {
  std::uint8_t protocol = 0;
  std::uint8_t spi_size = 0;
  std::uint16_t type = 0;
  Bytes spi;
  Bytes data;
};
Parsed<IkeNotify> parse_notify_v2(Bytes body) noexcept;
Parsed<IkeNotify> parse_notify_v1(Bytes body) noexcept;

// RFC 7296 section 3.4 (v2 only: v1 has bare data, RFC 2408 section 3.7).
struct KeyExchange {
  std::uint16_t group = 0;
  Bytes data;
};
Parsed<KeyExchange> parse_ke_v2(Bytes body) noexcept;
Parsed<std::uint16_t> parse_ke_group_v2(Bytes body) noexcept;

// IKEv2 transform types (RFC 7296 section 3.3.2, RFC 9370).
enum TransformType : std::uint8_t {
  transform_encryption = 1,
  transform_prf = 2,
  transform_integrity = 3,
  transform_key_exchange = 4,
  transform_sequence_numbers = 5,
  transform_additional_ke1 = 6,
  transform_additional_ke7 = 12,
  transform_key_wrap = 13,  // RFC 9838
  transform_group_controller = 14,
};

struct Transform {
  std::uint8_t type = 0;
  std::uint16_t id = 0;
  std::uint16_t key_bits = 0;  // 0: no key length attribute
  bool operator==(const Transform&) const = default;
};

struct Proposal {
  static constexpr std::size_t kMaxTransforms = 64;
  std::uint8_t number = 0;
  std::uint8_t protocol = 0;  // 1 IKE, 2 AH, 3 ESP
  Bytes spi;
  boost::container::static_vector<Transform, kMaxTransforms> transforms;
};

inline constexpr std::size_t kMaxProposals = 16;
using Proposals = boost::container::static_vector<Proposal, kMaxProposals>;
Parsed<Proposals> parse_sa_v2(Bytes body) noexcept;

// One transform of an IKEv1 phase 1 offer: a whole suite as attributes (RFC 2409 appendix A).
struct Phase1Transform {
  std::uint16_t encryption = 0;      // attribute 1
  std::uint16_t hash = 0;            // 2
  std::uint16_t authentication = 0;  // 3
  std::uint16_t group = 0;           // 4
  std::uint16_t key_bits = 0;        // 14
  std::uint16_t prf = 0;             // 13
  std::uint32_t life_seconds = 0;    // 11 = 1, 12
  std::uint32_t life_kilobytes = 0;  // 11 = 2, 12
  std::uint16_t group_type = 0;      // 5
  std::uint16_t field_bits = 0;      // 15
  std::uint16_t asymmetric = 0;      // 20 of GM/T 0022: 1 RSA, 2 SM2
  bool operator==(const Phase1Transform&) const = default;
};
inline constexpr std::size_t kMaxPhase1Transforms = 64;
using Phase1Transforms = boost::container::static_vector<Phase1Transform, kMaxPhase1Transforms>;
// The transforms of all proposals for ISAKMP in the SA payload of a phase 1 message.
Parsed<Phase1Transforms> parse_sa_v1(Bytes body) noexcept;

}  // namespace tunnelwatch::wire
