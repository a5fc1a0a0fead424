#include "probes/wire/ike_phase2.h"

#include "probes/wire/ike_attribute.h"

#include <optional>

namespace tunnelwatch::wire {

namespace {

void apply(Phase2Transform& t, const DataAttribute& a, std::uint32_t& life_type) {
  const auto value = static_cast<std::uint16_t>(a.number);
  switch (a.type) {
    case 1:
      life_type = a.number;
      break;
    case 2:
      if (life_type == 1) t.life_seconds = a.number;
      if (life_type == 2) t.life_kilobytes = a.number;
      break;
    case 3:
      t.group = value;
      break;
    case 4:
      t.encapsulation = value;
      break;
    case 5:
      t.authentication = value;
      break;
    case 6:
      t.key_bits = value;
      break;
    case 11:
      t.extended_sequence = value == 1;
      break;
    default:
      break;
  }
}

// RFC 2408 section 3.6, behind the generic header: number, id, two reserved bytes, attributes.
Parsed<Phase2Transform> read_transform(ByteReader r, const Phase2Transform& proposal) {
  Phase2Transform t = proposal;
  std::uint32_t life_type = 0;
  r.skip(1);
  t.id = r.u8();
  r.skip(2);
  while (r.left() > 0) {
    const DataAttribute a = read_data_attribute(r);
    if (r.failed()) return ParseError::bad_payload_length;
    apply(t, a, life_type);
  }
  if (r.failed()) return ParseError::bad_payload_length;
  return t;
}

// RFC 2408 section 3.5, behind the generic header.
std::optional<ParseError> read_proposal(ByteReader r, Phase2Transforms& transforms) {
  Phase2Transform p;
  p.proposal = r.u8();
  p.protocol = r.u8();
  const std::uint8_t spi_size = r.u8();
  const std::uint8_t count = r.u8();
  p.spi = r.take(spi_size);
  if (r.failed()) return ParseError::bad_payload_length;
  for (unsigned i = 0; i < count; ++i) {
    r.skip(2);
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 8) return ParseError::bad_payload_length;
    const auto transform = read_transform(r.sub(length - 4U), p);
    if (!transform) return transform.error();
    if (transforms.size() == kMaxPhase2Transforms) return ParseError::too_many;
    transforms.push_back(*transform);
  }
  return std::nullopt;
}

}  // namespace

Parsed<Phase2Transforms> parse_sa_v1_phase2(Bytes body) noexcept {
  Phase2Transforms transforms;
  ByteReader r(body);
  r.skip(8);  // DOI and situation
  while (r.left() > 0) {
    r.skip(2);
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 8) return ParseError::bad_payload_length;
    if (const auto error = read_proposal(r.sub(length - 4U), transforms)) return *error;
  }
  if (r.failed() || transforms.empty()) return ParseError::bad_payload_length;
  return transforms;
}

}  // namespace tunnelwatch::wire
