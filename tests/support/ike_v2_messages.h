#pragma once

#include "tests/support/ike_script.h"

#include <cstdint>
#include <utility>
#include <vector>

// The messages of one IKEv2 negotiation between this gateway and a peer, as they look on the wire.
namespace tunnelwatch::test {

using From = IkeScript::From;

inline constexpr std::uint64_t kSpiI = 0xaaaaaaaaaaaaaaaa;
inline constexpr std::uint64_t kSpiR = 0xbbbbbbbbbbbbbbbb;

inline RawMessage request(std::uint8_t exchange, std::uint32_t id, std::vector<RawPayload> payloads,
                          bool by_initiator = true) {
  RawMessage m;
  m.spi_i = kSpiI;
  m.spi_r = exchange == wire::ike_sa_init ? 0 : kSpiR;
  m.exchange = exchange;
  m.message_id = id;
  m.flags = by_initiator ? 0x08 : 0x00;
  m.payloads = std::move(payloads);
  return m;
}

inline RawMessage response(std::uint8_t exchange, std::uint32_t id, std::vector<RawPayload> payloads,
                           bool by_responder = true) {
  RawMessage m = request(exchange, id, std::move(payloads));
  m.spi_r = kSpiR;
  m.flags = by_responder ? 0x20 : 0x28;
  return m;
}

inline RawMessage init_request(const Suite& s = {}) {
  return request(wire::ike_sa_init, 0, {sa_v2(s), ke_v2(s.group), {wire::v2_nonce, Buffer(32, 1)}});
}
inline RawMessage init_response(const Suite& s = {}) {
  return response(wire::ike_sa_init, 0, {sa_v2(s), ke_v2(s.group), {wire::v2_nonce, Buffer(32, 2)}});
}
// A first message answered by one notify in clear, without a responder's SPI.
inline RawMessage notified(std::uint16_t type, Buffer data = {}) {
  RawMessage m = response(wire::ike_sa_init, 0, {notify_v2(type, std::move(data))});
  m.spi_r = 0;
  return m;
}
inline RawMessage sealed(std::uint8_t exchange, std::uint32_t id, std::uint8_t first, std::size_t plaintext,
                         const Suite& s = {}) {
  return request(exchange, id, {encrypted_v2(first, plaintext, s)});
}
inline RawMessage sealed_answer(std::uint8_t exchange, std::uint32_t id, std::uint8_t first, std::size_t plaintext,
                                const Suite& s = {}) {
  return response(exchange, id, {encrypted_v2(first, plaintext, s)});
}

// IDi, AUTH, SA, TSi, TSr of an ordinary request, and what its answer holds with and without a child.
inline constexpr std::size_t kAuthRequest = 220;
inline constexpr std::size_t kAuthAnswer = 180;
constexpr std::size_t auth_answer_without_child(const Suite& s = {}) {
  const std::size_t prf = s.prf == 2 ? 20 : s.prf == 5 ? 32 : s.prf == 6 ? 48 : 64;
  return 17 + 8 + prf + 8;
}
inline constexpr std::size_t kAuthAnswerWithoutChild = auth_answer_without_child();

// A whole negotiation; a later one has SPIs of its own, as it has on the wire.
inline void connect(IkeScript& s, int ms = 0, const Suite& suite = {}) {
  const auto with_spi = [&](RawMessage m) {
    m.spi_i += static_cast<std::uint64_t>(ms);
    return m;
  };
  s.ike(ms, From::local, with_spi(init_request(suite)));
  s.ike(ms + 10, From::remote, with_spi(init_response(suite)));
  s.ike(ms + 20, From::local, with_spi(sealed(wire::ike_auth, 1, wire::v2_id_initiator, kAuthRequest, suite)), 4500);
  s.ike(ms + 30, From::remote, with_spi(sealed_answer(wire::ike_auth, 1, wire::v2_id_responder, kAuthAnswer, suite)),
        4500);
}

}  // namespace tunnelwatch::test
