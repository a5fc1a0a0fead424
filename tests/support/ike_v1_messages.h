#pragma once

#include "tests/support/ike_script.h"

#include <cstdint>
#include <utility>
#include <vector>

// The messages of IKEv1 between this gateway and a peer, as they look without keys. AES-256, SHA2-256, a pre-shared
// key, group 14 throughout: a HASH payload takes 36 bytes.
namespace tunnelwatch::test::v1 {

using From = IkeScript::From;

inline RawMessage message(std::uint8_t exchange, std::uint32_t id, std::vector<RawPayload> payloads) {
  RawMessage m;
  m.version = 0x10;
  m.spi_i = 0xaaaa;
  m.spi_r = 0xbbbb;
  m.flags = 0;
  m.exchange = exchange;
  m.message_id = id;
  m.payloads = std::move(payloads);
  return m;
}

// An encrypted message whose plaintext takes `bytes`; `salt` makes its bytes its own.
inline RawMessage sealed(std::uint8_t exchange, std::uint32_t id, std::size_t bytes, std::uint8_t salt = 0) {
  RawMessage m = message(exchange, id, {});
  m.flags = 0x01;
  m.raw_body = Buffer((bytes + 15) / 16 * 16, static_cast<std::uint8_t>(0x5a + salt));
  return m;
}

inline constexpr std::uint16_t kAes = 7;
inline constexpr std::uint16_t kTripleDes = 5;

inline RawPayload sa(std::uint16_t cipher = kAes) {
  Buffer attributes;
  put(attributes, 0x80010000U + cipher, 4);
  if (cipher == kAes) put(attributes, 0x800e0100U, 4);
  for (const std::uint32_t a : {0x80020004U, 0x80030001U, 0x8004000eU}) put(attributes, a, 4);
  Buffer body;
  put(body, 1, 4);
  put(body, 1, 4);
  put(body, 0, 2);
  put(body, attributes.size() + 16, 2);
  put(body, 0x01010001, 4);
  put(body, 0, 2);
  put(body, attributes.size() + 8, 2);
  put(body, 0x01010000, 4);
  body.insert(body.end(), attributes.begin(), attributes.end());
  return {wire::v1_sa, body};
}

inline RawPayload notify(std::uint16_t type, std::size_t spi_size) {
  Buffer n;
  put(n, 1, 4);
  put(n, 1, 1);
  put(n, spi_size, 1);
  put(n, type, 2);
  n.resize(n.size() + spi_size);
  return {wire::v1_notify, n};
}

inline constexpr std::size_t kHash = 36;
inline constexpr std::size_t kLiveness = kHash + 32;
inline constexpr std::size_t kDeleteChild = kHash + 16;
inline constexpr std::size_t kDeleteIsakmp = kHash + 28;

inline void main_mode_to_message_4(IkeScript& s, int ms = 0, std::uint16_t cipher = kAes) {
  RawMessage first = message(wire::v1_identity_protection, 0, {sa(cipher)});
  first.spi_r = 0;
  s.ike(ms, From::local, first);
  s.ike(ms + 10, From::remote, message(wire::v1_identity_protection, 0, {sa(cipher)}));
  s.ike(ms + 20, From::local,
        message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 1)}, {wire::v1_nonce, Buffer(32, 1)}}));
  s.ike(ms + 30, From::remote,
        message(wire::v1_identity_protection, 0, {{wire::v1_ke, Buffer(256, 2)}, {wire::v1_nonce, Buffer(32, 2)}}));
}

// Phase 1 to its end, quick mode still to come.
inline void authenticate(IkeScript& s, int ms = 0, std::uint16_t cipher = kAes) {
  main_mode_to_message_4(s, ms, cipher);
  s.ike(ms + 40, From::local, sealed(wire::v1_identity_protection, 0, 80, 1), 4500);
  s.ike(ms + 50, From::remote, sealed(wire::v1_identity_protection, 0, 80, 2), 4500);
}

inline void connect(IkeScript& s, int ms = 0, std::uint16_t cipher = kAes) {
  authenticate(s, ms, cipher);
  s.ike(ms + 60, From::local, sealed(wire::v1_quick, 7, 160, 3), 4500);
  s.ike(ms + 70, From::remote, sealed(wire::v1_quick, 7, 160, 4), 4500);
  s.ike(ms + 80, From::local, sealed(wire::v1_quick, 7, 48, 5), 4500);
}

}  // namespace tunnelwatch::test::v1
