#include "probes/wire/ike_payloads.h"

#include "probes/wire/ike_attribute.h"

namespace tunnelwatch::wire {

namespace {

Parsed<IkeNotify> read_notify(ByteReader r) {
  IkeNotify n;
  n.protocol = r.u8();
  n.spi_size = r.u8();
  n.type = r.u16();
  n.spi = r.take(n.spi_size);
  n.data = r.rest();
  if (r.failed()) return ParseError::bad_payload_length;
  return n;
}

// RFC 7296 section 3.3.2.
Parsed<Transform> read_transform_v2(ByteReader r) {
  Transform t;
  t.type = r.u8();
  r.skip(1);
  t.id = r.u16();
  while (r.left() > 0) {
    const DataAttribute a = read_data_attribute(r);
    if (r.failed()) return ParseError::bad_payload_length;
    if (a.type == 14) t.key_bits = static_cast<std::uint16_t>(a.number);
  }
  if (r.failed()) return ParseError::bad_payload_length;
  return t;
}

// RFC 7296 section 3.3.1, behind the substructure's own four bytes.
Parsed<Proposal> read_proposal_v2(ByteReader r) {
  Proposal p;
  p.number = r.u8();
  p.protocol = r.u8();
  const std::uint8_t spi_size = r.u8();
  const std::uint8_t count = r.u8();
  p.spi = r.take(spi_size);
  if (r.failed()) return ParseError::bad_payload_length;
  if (count > Proposal::kMaxTransforms) return ParseError::too_many;
  for (unsigned i = 0; i < count; ++i) {
    r.skip(2);
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 8) return ParseError::bad_payload_length;
    const auto transform = read_transform_v2(r.sub(length - 4U));
    if (!transform) return transform.error();
    p.transforms.push_back(*transform);
  }
  return p;
}

void apply(Phase1Transform& t, const DataAttribute& a, std::uint32_t& life_type) {
  const auto value = static_cast<std::uint16_t>(a.number);
  switch (a.type) {
    case 1:
      t.encryption = value;
      break;
    case 2:
      t.hash = value;
      break;
    case 3:
      t.authentication = value;
      break;
    case 4:
      t.group = value;
      break;
    case 5:
      t.group_type = value;
      break;
    case 11:
      life_type = a.number;
      break;
    case 12:
      if (life_type == 1) t.life_seconds = a.number;
      if (life_type == 2) t.life_kilobytes = a.number;
      break;
    case 13:
      t.prf = value;
      break;
    case 14:
      t.key_bits = value;
      break;
    case 15:
      t.field_bits = value;
      break;
    case 20:
      t.asymmetric = value;
      break;
    default:
      break;
  }
}

// RFC 2408 section 3.6: number, id, two reserved bytes, attributes.
Parsed<Phase1Transform> read_transform_v1(ByteReader r) {
  Phase1Transform t;
  std::uint32_t life_type = 0;
  r.skip(4);
  while (r.left() > 0) {
    const DataAttribute a = read_data_attribute(r);
    if (r.failed()) return ParseError::bad_payload_length;
    apply(t, a, life_type);
  }
  if (r.failed()) return ParseError::bad_payload_length;
  return t;
}

}  // namespace

Parsed<IkeNotify> parse_notify_v2(Bytes body) noexcept { return read_notify(ByteReader(body)); }

Parsed<IkeNotify> parse_notify_v1(Bytes body) noexcept {
  ByteReader r(body);
  r.skip(4);  // DOI
  if (r.failed()) return ParseError::bad_payload_length;
  return read_notify(r.sub(r.left()));
}

Parsed<KeyExchange> parse_ke_v2(Bytes body) noexcept {
  ByteReader r(body);
  KeyExchange ke;
  ke.group = r.u16();
  r.skip(2);
  ke.data = r.rest();
  if (r.failed()) return ParseError::bad_payload_length;
  return ke;
}

Parsed<std::uint16_t> parse_ke_group_v2(Bytes body) noexcept {
  const auto ke = parse_ke_v2(body);
  if (!ke) return ke.error();
  return ke->group;
}

Parsed<Proposals> parse_sa_v2(Bytes body) noexcept {
  Proposals proposals;
  ByteReader r(body);
  while (r.left() > 0) {
    if (proposals.size() == kMaxProposals) return ParseError::too_many;
    const std::uint8_t more = r.u8();
    r.skip(1);
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 8) return ParseError::bad_payload_length;
    const auto proposal = read_proposal_v2(r.sub(length - 4U));
    if (!proposal) return proposal.error();
    proposals.push_back(*proposal);
    if (more == 0) break;
  }
  if (proposals.empty()) return ParseError::bad_payload_length;
  return proposals;
}

Parsed<Phase1Transforms> parse_sa_v1(Bytes body) noexcept {
  Phase1Transforms transforms;
  ByteReader r(body);
  r.skip(8);              // DOI and situation
  while (r.left() > 0) {  // proposals, RFC 2408 section 3.5
    r.skip(2);
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 8) return ParseError::bad_payload_length;
    ByteReader p = r.sub(length - 4U);
    p.skip(1);
    const std::uint8_t protocol = p.u8();
    const std::uint8_t spi_size = p.u8();
    const std::uint8_t count = p.u8();
    p.skip(spi_size);
    if (p.failed()) return ParseError::bad_payload_length;
    for (unsigned i = 0; i < count; ++i) {
      p.skip(2);
      const std::uint16_t transform_length = p.u16();
      if (p.failed() || transform_length < 8) return ParseError::bad_payload_length;
      const auto transform = read_transform_v1(p.sub(transform_length - 4U));
      if (!transform) return transform.error();
      if (protocol != 1) continue;
      if (transforms.size() == kMaxPhase1Transforms) return ParseError::too_many;
      transforms.push_back(*transform);
    }
  }
  if (r.failed() || transforms.empty()) return ParseError::bad_payload_length;
  return transforms;
}

}  // namespace tunnelwatch::wire
