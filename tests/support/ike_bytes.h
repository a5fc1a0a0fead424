#pragma once

#include "probes/wire/ike.h"

#include <cstdint>
#include <optional>
#include <vector>

// IKE messages as bytes, made field by field, for tests and fuzz seeds. Encrypted parts are zeros of the right length.
namespace tunnelwatch::test {

using Buffer = std::vector<std::uint8_t>;

inline void put(Buffer& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

struct RawPayload {
  std::uint8_t type;
  Buffer body;
  bool critical = false;
};

struct RawMessage {
  std::uint64_t spi_i = 0x1122334455667788;
  std::uint64_t spi_r = 0;
  std::uint8_t version = 0x20;
  std::uint8_t exchange = wire::ike_sa_init;
  std::uint8_t flags = 0x08;
  std::uint32_t message_id = 0;
  std::vector<RawPayload> payloads;
  Buffer raw_body;  // instead of payloads: what follows the header as it is
};

inline Buffer bytes_of(const RawMessage& m) {
  Buffer body = m.raw_body;
  for (std::size_t i = 0; i < m.payloads.size(); ++i) {
    const auto& p = m.payloads[i];
    // The next-payload field of SK and SKF names what is inside; tests set it as the first byte of the body.
    const bool encrypted = p.type == wire::v2_encrypted || p.type == wire::v2_encrypted_fragment;
    const std::uint8_t next = encrypted && m.version == 0x20 ? p.body.front()
                              : i + 1 < m.payloads.size()    ? m.payloads[i + 1].type
                                                             : std::uint8_t{0};
    const Buffer content = encrypted && m.version == 0x20 ? Buffer(p.body.begin() + 1, p.body.end()) : p.body;
    put(body, next, 1);
    put(body, p.critical ? 0x80 : 0, 1);
    put(body, content.size() + 4, 2);
    body.insert(body.end(), content.begin(), content.end());
  }
  Buffer out;
  put(out, m.spi_i, 8);
  put(out, m.spi_r, 8);
  put(out, m.payloads.empty() ? 0 : m.payloads.front().type, 1);
  put(out, m.version, 1);
  put(out, m.exchange, 1);
  put(out, m.flags, 1);
  put(out, m.message_id, 4);
  put(out, wire::kIkeHeaderSize + body.size(), 4);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

// One IKEv2 transform: type, id, key length in bits (0: none).
inline Buffer transform(std::uint8_t type, std::uint16_t id, std::uint16_t key_bits, bool last) {
  Buffer t;
  put(t, last ? 0 : 3, 1);
  put(t, 0, 1);
  put(t, key_bits != 0 ? 12 : 8, 2);
  put(t, type, 1);
  put(t, 0, 1);
  put(t, id, 2);
  if (key_bits != 0) {
    put(t, 0x800e, 2);
    put(t, key_bits, 2);
  }
  return t;
}

struct Suite {
  std::uint16_t encryption = 12;  // AES-CBC
  std::uint16_t key_bits = 256;
  std::uint16_t prf = 5;
  std::uint16_t integrity = 12;  // HMAC-SHA2-256-128; 0: an AEAD cipher
  std::uint16_t group = 14;
};

inline RawPayload sa_v2(const Suite& s) {
  Buffer transforms;
  int count = 0;
  const auto add = [&](std::uint8_t type, std::uint16_t id, std::uint16_t bits, bool last) {
    const Buffer t = transform(type, id, bits, last);
    transforms.insert(transforms.end(), t.begin(), t.end());
    ++count;
  };
  add(1, s.encryption, s.key_bits, false);
  if (s.integrity != 0) add(3, s.integrity, 0, false);
  add(2, s.prf, 0, false);
  add(4, s.group, 0, true);
  Buffer sa;
  put(sa, 0, 2);
  put(sa, transforms.size() + 8, 2);
  put(sa, 1, 1);
  put(sa, 1, 1);
  put(sa, 0, 1);
  put(sa, static_cast<std::uint64_t>(count), 1);
  sa.insert(sa.end(), transforms.begin(), transforms.end());
  return {wire::v2_sa, sa};
}

inline RawPayload ke_v2(std::uint16_t group, std::size_t size = 256) {
  Buffer ke;
  put(ke, group, 2);
  put(ke, 0, 2);
  ke.resize(ke.size() + size, 0xab);
  return {wire::v2_ke, ke};
}

inline RawPayload notify_v2(std::uint16_t type, Buffer data = {}) {
  Buffer n;
  put(n, 0, 2);
  put(n, type, 2);
  n.insert(n.end(), data.begin(), data.end());
  return {wire::v2_notify, n};
}

// The body of an encrypted payload that holds `plaintext` bytes of payloads, `first` of them first, under `suite`.
inline RawPayload encrypted_v2(std::uint8_t first, std::size_t plaintext, const Suite& s = {}) {
  const bool aead = s.integrity == 0;
  const std::size_t block = aead ? 1 : 16;
  const std::size_t iv = aead ? 8 : 16;
  const std::size_t icv = aead || s.integrity == 12 ? 16 : s.integrity == 2 ? 12 : s.integrity == 13 ? 24 : 32;
  const std::size_t padded = (plaintext + 1 + block - 1) / block * block;
  Buffer body{first};
  body.resize(1 + iv + padded + icv, 0xee);
  return {wire::v2_encrypted, body};
}

}  // namespace tunnelwatch::test
