#include "probes/wire/ike.h"

#include <algorithm>

namespace tunnelwatch::wire {

Parsed<IkeHeader> parse_ike_header(Bytes datagram) noexcept {
  ByteReader r(datagram);
  const IkeHeader h{r.u64(), r.u64(), r.u8(), r.u8(), r.u8(), r.u8(), r.u32(), r.u32()};
  if (r.failed()) return ParseError::truncated;
  if (h.length < kIkeHeaderSize) return ParseError::bad_length;
  return h;
}

namespace {

// RFC 7383 section 2.5: fragment number and total behind the generic header of SKF.
void read_encrypted_v2(IkeMessage& m, std::uint8_t type, std::uint8_t next, Bytes body) {
  m.encrypted = true;
  if (type == v2_encrypted) {
    m.first_inner = next;
    m.encrypted_bytes = body.size();
    return;
  }
  ByteReader r(body);
  const std::uint16_t number = r.u16();
  const std::uint16_t total = r.u16();
  if (r.failed() || number == 0 || number > total) {
    m.payload_error = ParseError::bad_payload_length;
    return;
  }
  m.fragment = number;
  m.fragments = total;
  m.encrypted_bytes = r.left();
  if (m.fragment == 1) m.first_inner = next;
}

void read_payloads(IkeMessage& m, Bytes body) {
  ByteReader r(body);
  std::uint8_t type = m.header.next_payload;
  while (type != 0) {
    if (m.payloads.size() == IkeMessage::kMaxPayloads) {
      m.payload_error = ParseError::too_many;
      return;
    }
    const std::uint8_t next = r.u8();
    const std::uint8_t flags = r.u8();
    const std::uint16_t length = r.u16();
    if (r.failed()) {
      if (!m.cut) m.payload_error = ParseError::truncated;
      return;
    }
    if (length < 4 || (std::size_t{length} - 4 > r.left() && !m.cut)) {
      m.payload_error = ParseError::bad_payload_length;
      return;
    }
    const Bytes payload = r.take(std::min<std::size_t>(length - 4U, r.left()));
    m.payloads.push_back({type, (flags & 0x80) != 0, payload});
    // SK and SKF are the last payload of a message; their next-payload field speaks of what is inside.
    if (m.header.major() == 2 && (type == v2_encrypted || type == v2_encrypted_fragment)) {
      read_encrypted_v2(m, type, next, payload);
      if (m.cut && m.fragment <= 1) m.encrypted_bytes = std::size_t{length} - (type == v2_encrypted ? 4U : 8U);
      return;
    }
    type = next;
  }
}

}  // namespace

Parsed<IkeMessage> parse_ike(Bytes datagram, bool cut) noexcept {
  const auto header = parse_ike_header(datagram);
  if (!header) return header.error();
  if (header->major() != 1 && header->major() != 2) return ParseError::bad_version;
  if (header->length > datagram.size() && !cut) return ParseError::bad_length;
  IkeMessage m;
  m.header = *header;
  m.cut = header->length > datagram.size();
  m.trailing = header->length < datagram.size();
  const Bytes body =
      datagram.subspan(kIkeHeaderSize, std::min<std::size_t>(datagram.size(), header->length) - kIkeHeaderSize);
  if (header->major() == 1 && header->is_encrypted_v1()) {
    m.encrypted = true;
    m.encrypted_bytes = header->length - kIkeHeaderSize;
    return m;
  }
  read_payloads(m, body);
  return m;
}

}  // namespace tunnelwatch::wire
