#include "probes/wire/ike_notify_data.h"

#include "probes/wire/ike_attribute.h"

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kLongestCookie = 64;

// Everything was there, and nothing but it.
bool whole(const ByteReader& r) { return !r.failed() && r.left() == 0; }

}  // namespace

Parsed<std::uint32_t> parse_notify_number(Bytes data, std::size_t size) noexcept {
  if (data.size() != size || size > 4) return ParseError::bad_payload_length;
  std::uint32_t number = 0;
  for (const std::uint8_t byte : data) number = number << 8 | byte;
  return number;
}

Parsed<Bytes> parse_cookie(Bytes data) noexcept {
  if (data.empty() || data.size() > kLongestCookie) return ParseError::bad_payload_length;
  return data;
}

Parsed<Redirect> parse_redirect(Bytes data) noexcept {
  ByteReader r(data);
  Redirect redirect;
  redirect.type = r.u8();
  redirect.gateway = r.take(r.u8());
  redirect.nonce = r.rest();
  const std::size_t size = redirect.gateway.size();
  const bool fits = redirect.type == 1 ? size == 4 : redirect.type == 2 ? size == 16 : size > 0;
  if (r.failed() || !fits) return ParseError::bad_payload_length;
  return redirect;
}

Parsed<Ticket> parse_ticket(Bytes data) noexcept {
  ByteReader r(data);
  const Ticket ticket{r.u32(), r.rest()};
  if (r.failed() || ticket.ticket.empty()) return ParseError::bad_payload_length;
  return ticket;
}

Parsed<MessageIdSync> parse_message_id_sync(Bytes data) noexcept {
  ByteReader r(data);
  const MessageIdSync sync{r.u32(), r.u32(), r.u32()};
  if (!whole(r)) return ParseError::bad_payload_length;
  return sync;
}

Parsed<SignatureHashes> parse_signature_hashes(Bytes data) noexcept {
  SignatureHashes hashes;
  ByteReader r(data);
  while (r.left() > 0) {
    if (hashes.size() == hashes.capacity()) return ParseError::too_many;
    const std::uint16_t hash = r.u16();
    if (r.failed()) return ParseError::bad_payload_length;
    hashes.push_back(hash);
  }
  if (hashes.empty()) return ParseError::bad_payload_length;
  return hashes;
}

Parsed<AuthMethods> parse_auth_methods(Bytes data) noexcept {
  AuthMethods methods;
  ByteReader r(data);
  while (r.left() > 0) {
    if (methods.size() == methods.capacity()) return ParseError::too_many;
    // Two bytes: the method alone; three and more: behind the link to a certificate request.
    const std::uint8_t length = r.u8();
    if (r.failed() || length < 2) return ParseError::bad_payload_length;
    ByteReader announcement = r.sub(length - 1U);
    if (length > 2) announcement.skip(1);
    const std::uint8_t method = announcement.u8();
    if (r.failed() || announcement.failed()) return ParseError::bad_payload_length;
    methods.push_back(method);
  }
  return methods;
}

Parsed<Puzzle> parse_puzzle(Bytes data) noexcept {
  ByteReader r(data);
  const Puzzle puzzle{r.u16(), r.u8()};
  if (!whole(r)) return ParseError::bad_payload_length;
  return puzzle;
}

Parsed<PpkIdentity> parse_ppk_identity(Bytes data) noexcept {
  ByteReader r(data);
  const PpkIdentity ppk{r.u8(), r.rest()};
  if (r.failed() || ppk.identity.empty()) return ParseError::bad_payload_length;
  return ppk;
}

Parsed<IpcompSupported> parse_ipcomp_supported(Bytes data) noexcept {
  ByteReader r(data);
  const IpcompSupported ipcomp{r.u16(), r.u8()};
  if (!whole(r)) return ParseError::bad_payload_length;
  return ipcomp;
}

Parsed<ResponderLifetime> parse_responder_lifetime_v1(Bytes data, bool is_phase1) noexcept {
  const std::uint16_t type_attribute = is_phase1 ? 11 : 1;
  const std::uint16_t life_attribute = is_phase1 ? 12 : 2;
  ResponderLifetime life;
  std::uint32_t type = 0;
  ByteReader r(data);
  while (r.left() > 0) {
    const DataAttribute a = read_data_attribute(r);
    if (r.failed()) return ParseError::bad_payload_length;
    if (a.type == type_attribute) type = a.number;
    if (a.type != life_attribute) continue;
    if (type == 1) life.seconds = a.number;
    if (type == 2) life.kilobytes = a.number;
  }
  if (life.seconds == 0 && life.kilobytes == 0) return ParseError::bad_payload_length;
  return life;
}

}  // namespace tunnelwatch::wire
