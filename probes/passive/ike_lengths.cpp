#include "probes/passive/ike_lengths.h"

#include <algorithm>

namespace tunnelwatch::passive {

namespace {

using wire::Transform;

struct CipherForm {
  std::uint16_t id;
  std::uint8_t iv;
  std::uint8_t block;
  std::uint8_t icv;  // of an AEAD, else 0
};

constexpr CipherForm kCiphers[] = {
    {2, 8, 8, 0},     {3, 8, 8, 0},     {5, 8, 8, 0},    {6, 8, 8, 0},   {7, 8, 8, 0},   {11, 0, 1, 0},
    {12, 16, 16, 0},  {13, 8, 1, 0},    {14, 8, 1, 8},   {15, 8, 1, 12}, {16, 8, 1, 16}, {18, 8, 1, 8},
    {19, 8, 1, 12},   {20, 8, 1, 16},   {23, 16, 16, 0}, {24, 8, 1, 0},  {25, 8, 1, 8},  {26, 8, 1, 12},
    {27, 8, 1, 16},   {28, 8, 1, 16},   {29, 0, 1, 8},   {30, 0, 1, 16}, {31, 0, 1, 16}, {127, 16, 16, 0},
    {128, 16, 16, 0}, {129, 16, 16, 0},
};

std::optional<std::uint8_t> icv_of(std::uint16_t integrity) {
  switch (integrity) {
    case 1:
    case 2:
    case 5:
    case 8:
      return std::uint8_t{12};
    case 3:
      return std::uint8_t{8};
    case 6:
    case 9:
    case 10:
    case 11:
    case 12:
      return std::uint8_t{16};
    case 7:
      return std::uint8_t{20};
    case 13:
      return std::uint8_t{24};
    case 14:
      return std::uint8_t{32};
    default:
      return std::nullopt;
  }
}

std::uint8_t prf_size(std::uint16_t prf) {
  switch (prf) {
    case 1:
    case 4:
    case 8:
      return 16;
    case 2:
      return 20;
    case 3:
      return 24;
    case 5:
    case 20:
      return 32;
    case 6:
      return 48;
    case 7:
    case 9:
      return 64;
    default:
      return 16;
  }
}

std::uint8_t hash_size_v1(std::uint16_t hash) {
  switch (hash) {
    case 1:
      return 16;
    case 2:
      return 20;
    case 3:
      return 24;
    case 4:
    case 20:
      return 32;
    case 5:
      return 48;
    case 6:
      return 64;
    default:
      return 0;
  }
}

constexpr std::size_t kLargestOverhead = 16 + 32 + 16;  // an IV, a checksum and a block of padding
constexpr std::size_t kSmallestOverhead = 8 + 1;

}  // namespace

std::optional<SuiteLengths> suite_lengths(const wire::Proposal& chosen) {
  SuiteLengths s;
  bool cipher_known = false;
  bool icv_known = false;
  for (const Transform& t : chosen.transforms) {
    if (t.type == wire::transform_encryption) {
      const auto* form =
          std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const CipherForm& c) { return c.id == t.id; });
      if (form == std::end(kCiphers)) return std::nullopt;
      s.iv = form->iv;
      s.block = form->block;
      cipher_known = true;
      if (form->icv != 0) {
        s.icv = form->icv;
        icv_known = true;
      }
    } else if (t.type == wire::transform_integrity && t.id != 0) {
      const auto icv = icv_of(t.id);
      if (!icv) return std::nullopt;
      s.icv = *icv;
      icv_known = true;
    } else if (t.type == wire::transform_prf) {
      s.prf = prf_size(t.id);
    }
  }
  if (!cipher_known || !icv_known) return std::nullopt;
  return s;
}

std::optional<SuiteLengths> suite_lengths(const wire::Phase1Transform& chosen) {
  SuiteLengths s;
  switch (chosen.encryption) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      s.block = 8;
      break;
    case 7:
    case 8:
    case 127:
    case 128:
    case 129:
      s.block = 16;
      break;
    default:
      return std::nullopt;
  }
  s.iv = 0;  // derived, never sent
  s.prf = hash_size_v1(chosen.hash);
  if (s.prf == 0) return std::nullopt;
  return s;
}

PlaintextRange plaintext_range(const std::optional<SuiteLengths>& suite, std::size_t encrypted_bytes) {
  if (!suite) {
    return {encrypted_bytes > kLargestOverhead ? encrypted_bytes - kLargestOverhead : 0,
            encrypted_bytes > kSmallestOverhead ? encrypted_bytes - kSmallestOverhead : 0};
  }
  const std::size_t overhead = std::size_t{suite->iv} + suite->icv + 1;  // and the pad length byte
  if (encrypted_bytes < overhead) return {0, 0};
  const std::size_t most = encrypted_bytes - overhead;
  // A block cipher needs up to block - 1 bytes of padding; a stack may always add a block more (RFC 7296: any length).
  const std::size_t padding = suite->block > 1 ? std::size_t{suite->block} - 1 : 3;
  return {most > padding ? most - padding : 0, most};
}

PlaintextRange plaintext_range_v1(const std::optional<SuiteLengths>& suite, std::size_t encrypted_bytes) {
  const std::size_t block = suite ? suite->block : 16;
  // Some stacks pad a whole block where none is needed.
  return {encrypted_bytes >= block ? encrypted_bytes - block : 0, encrypted_bytes};
}

}  // namespace tunnelwatch::passive
