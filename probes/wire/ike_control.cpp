#include "probes/wire/ike_control.h"

namespace tunnelwatch::wire {

namespace {

constexpr std::size_t kLongestNonce = 256;

Parsed<IkeDelete> read_delete(ByteReader r) {
  IkeDelete d;
  d.protocol = r.u8();
  d.spi_size = r.u8();
  d.count = r.u16();
  d.spis = r.take(std::size_t{d.spi_size} * d.count);
  if (r.failed() || r.left() > 0) return ParseError::bad_payload_length;
  return d;
}

Parsed<Bytes> of_size(Bytes body, std::size_t least, std::size_t most) {
  if (body.size() < least || body.size() > most) return ParseError::bad_payload_length;
  return body;
}

}  // namespace

Parsed<IkeDelete> parse_delete_v1(Bytes body) noexcept {
  ByteReader r(body);
  r.skip(4);  // DOI
  if (r.failed()) return ParseError::bad_payload_length;
  return read_delete(r.sub(r.left()));
}

Parsed<IkeDelete> parse_delete_v2(Bytes body) noexcept { return read_delete(ByteReader(body)); }

Parsed<Bytes> parse_nonce_v1(Bytes body) noexcept { return of_size(body, 8, kLongestNonce); }
Parsed<Bytes> parse_nonce_v2(Bytes body) noexcept { return of_size(body, 16, kLongestNonce); }
Parsed<Bytes> parse_nat_detection_v1(Bytes body) noexcept { return of_size(body, 16, 64); }

Parsed<IpAddress> parse_nat_original_address_v1(Bytes body) noexcept {
  ByteReader r(body);
  const std::uint8_t type = r.u8();
  r.skip(3);
  const Bytes address = r.rest();
  if (r.failed()) return ParseError::bad_payload_length;
  if (type == 1 && address.size() == 4) return IpAddress::v4(address.first<4>());
  if (type == 5 && address.size() == 16) return IpAddress::v6(address.first<16>());
  return ParseError::bad_payload_length;
}

Parsed<IkeFragmentV1> parse_fragment_v1(Bytes body) noexcept {
  ByteReader r(body);
  const IkeFragmentV1 f{r.u16(), r.u8(), (r.u8() & 1) != 0, r.rest()};
  if (r.failed() || f.number == 0 || f.data.empty()) return ParseError::bad_payload_length;
  return f;
}

}  // namespace tunnelwatch::wire
