#include "probes/wire/ike_identity.h"

#include <array>
#include <optional>

namespace tunnelwatch::wire {

namespace {

// The types whose data is of one length, alike in both versions where both have them.
std::optional<std::size_t> address_bytes(std::uint8_t type, bool is_v1) {
  switch (type) {
    case 1:
      return 4;
    case 5:
      return 16;
    case 4:  // v1: a subnet or a range, two addresses
    case 7:
      return is_v1 ? std::optional<std::size_t>(8) : std::nullopt;
    case 6:
    case 8:
      return is_v1 ? std::optional<std::size_t>(32) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Parsed<IkeIdentity> checked(const IkeIdentity& id, const ByteReader& r, bool is_v1) {
  if (r.failed()) return ParseError::bad_payload_length;
  const auto wanted = address_bytes(id.type, is_v1);
  if (wanted && id.data.size() != *wanted) return ParseError::bad_payload_length;
  return id;
}

}  // namespace

Parsed<IkeIdentity> parse_identity_v1(Bytes body) noexcept {
  ByteReader r(body);
  const IkeIdentity id{r.u8(), r.u8(), r.u16(), r.rest()};
  return checked(id, r, /*is_v1=*/true);
}

Parsed<IkeIdentity> parse_identity_v2(Bytes body) noexcept {
  ByteReader r(body);
  IkeIdentity id;
  id.type = r.u8();
  r.skip(3);
  id.data = r.rest();
  return checked(id, r, /*is_v1=*/false);
}

Parsed<IkeCertificate> parse_certificate(Bytes body) noexcept {
  ByteReader r(body);
  const IkeCertificate certificate{r.u8(), r.rest()};
  if (r.failed()) return ParseError::bad_payload_length;
  return certificate;
}

Parsed<IkeAuthentication> parse_authentication_v2(Bytes body) noexcept {
  ByteReader r(body);
  IkeAuthentication a;
  a.method = r.u8();
  r.skip(3);
  a.data = r.rest();
  if (r.failed()) return ParseError::bad_payload_length;
  return a;
}

Parsed<EapMessage> parse_eap(Bytes body) noexcept {
  ByteReader r(body);
  EapMessage m;
  m.code = r.u8();
  m.identifier = r.u8();
  const std::uint16_t length = r.u16();
  if (r.failed() || length < 4 || length > body.size()) return ParseError::bad_payload_length;
  const bool has_type = m.code == 1 || m.code == 2;
  if (has_type != (length > 4)) return ParseError::bad_payload_length;
  ByteReader rest = r.sub(length - 4U);
  if (has_type) m.type = rest.u8();
  m.data = rest.rest();
  return m;
}

}  // namespace tunnelwatch::wire
