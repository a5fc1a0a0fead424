#pragma once

#include "probes/wire/ike_payloads.h"

#include <cstddef>
#include <cstdint>
#include <optional>

// What a message's length says about what is inside, without keys: the suite that was chosen in clear fixes IV,
// padding and checksum (RFC 7296 section 3.14, RFC 5282; RFC 2409 appendix B for v1).
namespace tunnelwatch::passive {

// Bytes that a suite adds around a plaintext.
struct SuiteLengths {
  std::uint8_t iv = 0;
  std::uint8_t block = 1;  // the ciphertext is a multiple of it
  std::uint8_t icv = 0;
  std::uint8_t prf = 0;  // bytes of the PRF's output: the size of a PSK's AUTH
};

// Of an accepted IKEv2 proposal; nothing for algorithms without a known form.
std::optional<SuiteLengths> suite_lengths(const wire::Proposal& chosen);
// Of an accepted phase 1 transform: `prf` is the size of a HASH payload's data.
std::optional<SuiteLengths> suite_lengths(const wire::Phase1Transform& chosen);

// The least and the most bytes of payloads (with their generic headers) that an encrypted part can hold.
struct PlaintextRange {
  std::size_t least = 0;
  std::size_t most = 0;
};

// `encrypted_bytes`: the body of an SK payload (IV, ciphertext, checksum). Without a suite: bounds that hold for any.
// The least assumes the padding that a stack with whole extra blocks might add (at most 16 bytes beyond need).
PlaintextRange plaintext_range(const std::optional<SuiteLengths>& suite, std::size_t encrypted_bytes);

// An encrypted IKEv1 message: no IV and no checksum in it, zero padding up to a block.
PlaintextRange plaintext_range_v1(const std::optional<SuiteLengths>& suite, std::size_t encrypted_bytes);

// Sizes of whole payloads, generic header included.
inline constexpr std::size_t kEmptyNotify = 8;         // RFC 7296 section 3.10, no SPI, no data
inline constexpr std::size_t kShortestId = 9;          // one byte of identity
inline constexpr std::size_t kShortestChildSa = 36;    // one ESP proposal: an AEAD cipher with key length, ESN
inline constexpr std::size_t kShortestSelectors = 24;  // one IPv4 selector
inline constexpr std::size_t kShortestNonce = 20;

}  // namespace tunnelwatch::passive
