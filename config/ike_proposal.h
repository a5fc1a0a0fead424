#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// A proposal as strongSwan's configuration writes it: "aes256-sha256-modp2048", "aes128gcm16-prfsha256-ecp256".
namespace tunnelwatch::config {

// An algorithm by its numbers in IANA's registries: of IKEv2's transforms, and of IKEv1's attributes (there 0 where
// version 1 has none; its groups have the same numbers).
struct ProposalAlgorithm {
  std::uint8_t type = 0;  // transform type of RFC 7296, 3.3.2: 1 encryption, 2 PRF, 3 integrity, 4 key exchange, 5 ESN
  std::uint16_t id = 0;
  std::uint16_t id_v1 = 0;
  std::uint16_t key_bits = 0;  // 0: the algorithm has one length only
  bool operator==(const ProposalAlgorithm&) const = default;
};

// One word of a proposal; nothing where it names no algorithm.
std::optional<ProposalAlgorithm> parse_algorithm(std::string_view word);

// The words of a proposal that parses; those that do not are left out. A PRF that is not named is that of the
// integrity algorithm, as the daemon takes it (with authenticated encryption there is none to tell it by).
std::vector<ProposalAlgorithm> parse_proposal(std::string_view text);

// The algorithm's word that is nearest to a mistyped one, "" where none is near.
std::string_view nearest_algorithm(std::string_view unknown);

}  // namespace tunnelwatch::config
