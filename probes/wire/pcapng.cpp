#include "probes/wire/pcapng.h"

#include "probes/wire/ordered_reader.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

using What = PcapngStep::What;

constexpr std::uint32_t kSection = 0x0a0d0d0a;  // the same in either byte order
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::size_t kHead = 12;      // type, length, and a section's byte order
constexpr std::size_t kSmallest = 12;  // type, length, length again

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kPacketFlags = 2;
constexpr std::uint16_t kResolution = 9;
constexpr std::uint16_t kOffset = 14;

constexpr bool is_read(std::uint32_t type) {
  return type == kSection || type == kInterface || type == kObsoletePacket || type == kSimplePacket ||
         type == kEnhancedPacket;
}

PcapngStep told(PcapngError error) { return {.what = What::error, .error = error, .bytes = 0, .packet = {}}; }
PcapngStep wants(std::size_t bytes) { return {.what = What::more, .error = {}, .bytes = bytes, .packet = {}}; }

// Calls `each(code, fields)` with the options that are whole. A list that breaks off costs what stands behind the
// break, never the block: some writers count the padding wrongly.
template <typename Each>
void for_options(OrderedReader& fields, bool little_endian, Each each) {
  while (fields.left() >= 4) {
    const std::uint16_t code = fields.u16();
    const std::uint16_t length = fields.u16();
    const Bytes value = fields.padded(length);
    if (code == kEndOfOptions || fields.failed()) return;
    OrderedReader inside(value, little_endian);
    each(code, inside);
  }
}

// The lowest two bits of a packet's flags: 1 inbound, 2 outbound.
LinkDirection direction_of(std::uint32_t flags) {
  switch (flags & 3U) {
    case 1:
      return LinkDirection::in;
    case 2:
      return LinkDirection::out;
    default:
      return LinkDirection::unknown;
  }
}

}  // namespace

std::string_view to_string(PcapngError error) {
  switch (error) {
    case PcapngError::not_pcapng:
      return "unknown file format";
    case PcapngError::unknown_version:
      return "a pcapng section of an unknown version";
    case PcapngError::bad_block_length:
      return "a pcapng block of an impossible length";
    case PcapngError::lengths_differ:
      return "a pcapng block whose two lengths differ";
    case PcapngError::block_too_long:
      return "a pcapng block longer than any packet";
    case PcapngError::bad_packet_length:
      return "a packet longer than its pcapng block";
    case PcapngError::unknown_interface:
      return "a packet of an interface that the file does not describe";
    case PcapngError::too_many_interfaces:
      return "more interfaces than any machine has";
  }
  return "unknown file format";
}

// Block type, total length, body, total length again. Lengths count whole blocks and should be multiples of four; the
// blocks always are, but some writers forgot the padding when they counted.
PcapngStep PcapngParser::step(Bytes ahead) {
  if (ahead.size() < kHead) return wants(kHead);
  OrderedReader head(ahead.first(kHead), little_endian_);
  const std::uint32_t type = head.u32();
  if (type == kSection) {
    const std::uint8_t magic = ahead[8];  // 0x1a2b3c4d
    if (magic != 0x1a && magic != 0x4d) return told(PcapngError::not_pcapng);
    little_endian_ = magic == 0x4d;
    head = OrderedReader(ahead.subspan(4, 4), little_endian_);
  } else if (!in_section_) {
    return told(PcapngError::not_pcapng);
  }
  const std::uint32_t length = head.u32();
  if (length < kSmallest) return told(PcapngError::bad_block_length);
  const std::size_t size = (std::size_t{length} + 3) & ~std::size_t{3};
  PcapngStep step{.what = What::passed, .error = {}, .bytes = size, .packet = {}};
  if (!is_read(type)) return step;
  if (size > kMaxPcapngBlock) return told(PcapngError::block_too_long);
  if (ahead.size() < size) return wants(size);
  if (OrderedReader(ahead.subspan(size - 4, 4), little_endian_).u32() != length) {
    return told(PcapngError::lengths_differ);
  }

  const Bytes body = ahead.subspan(8, size - kSmallest);
  std::optional<PcapngError> error;
  switch (type) {
    case kSection:
      error = begin_section(body);
      break;
    case kInterface:
      error = add_interface(body);
      break;
    case kEnhancedPacket:
      step.what = What::packet;
      error = read_enhanced(body, step.packet);
      break;
    case kSimplePacket:
      step.what = What::packet;
      error = read_simple(body, step.packet);
      break;
    default:
      step.what = What::packet;
      error = read_obsolete(body, step.packet);
  }
  return error ? told(*error) : step;
}

// Byte-order magic, major and minor version, section length (of use only to who skips sections), options.
std::optional<PcapngError> PcapngParser::begin_section(Bytes body) {
  OrderedReader fields(body, little_endian_);
  const std::uint32_t magic = fields.u32();
  const std::uint16_t major = fields.u16();
  fields.skip(10);
  if (fields.failed()) return PcapngError::bad_block_length;
  if (magic != 0x1a2b3c4d) return PcapngError::not_pcapng;
  if (major != 1) return PcapngError::unknown_version;
  interfaces_.clear();
  in_section_ = true;
  return std::nullopt;
}

// Link type, reserved, snap length, options.
std::optional<PcapngError> PcapngParser::add_interface(Bytes body) {
  OrderedReader fields(body, little_endian_);
  Interface interface;
  interface.link_number = fields.u16();
  fields.skip(2);
  interface.snap_length = fields.u32();
  if (fields.failed()) return PcapngError::bad_block_length;
  if (interfaces_.size() == kMaxPcapngInterfaces) return PcapngError::too_many_interfaces;
  interface.link = link_type_of(interface.link_number);
  for_options(fields, little_endian_, [&interface](std::uint16_t code, OrderedReader& value) {
    if (code == kResolution && value.left() == 1) interface.clock.set_resolution(value.u8());
    if (code == kOffset && value.left() == 8) interface.clock.set_offset(value.u64());
  });
  interfaces_.push_back(interface);
  return std::nullopt;
}

// Interface (4), then as the obsolete block.
std::optional<PcapngError> PcapngParser::read_enhanced(Bytes body, PcapngPacket& packet) const {
  OrderedReader fields(body, little_endian_);
  const std::uint32_t interface = fields.u32();
  return read_stamped(interface, fields, packet);
}

// Interface (2), packets dropped before this one (2).
std::optional<PcapngError> PcapngParser::read_obsolete(Bytes body, PcapngPacket& packet) const {
  OrderedReader fields(body, little_endian_);
  const std::uint16_t interface = fields.u16();
  fields.skip(2);
  return read_stamped(interface, fields, packet);
}

// Time (upper half first in either byte order), captured length, length on the wire, data, options.
std::optional<PcapngError> PcapngParser::read_stamped(std::uint32_t interface, OrderedReader& fields,
                                                      PcapngPacket& packet) const {
  const std::uint64_t upper = fields.u32();
  const std::uint64_t lower = fields.u32();
  const std::uint32_t captured = fields.u32();
  packet.wire_length = fields.u32();
  if (fields.failed()) return PcapngError::bad_block_length;
  if (interface >= interfaces_.size()) return PcapngError::unknown_interface;
  packet.bytes = fields.padded(captured);
  if (fields.failed()) return PcapngError::bad_packet_length;
  const Interface& from = interfaces_[interface];
  packet.link_number = from.link_number;
  packet.link = from.link;
  packet.at = from.clock.at(upper << 32 | lower);
  for_options(fields, little_endian_, [&packet](std::uint16_t code, OrderedReader& value) {
    if (code == kPacketFlags && value.left() == 4) packet.direction = direction_of(value.u32());
  });
  return std::nullopt;
}

// Length on the wire, data up to the first interface's snap length. No time.
std::optional<PcapngError> PcapngParser::read_simple(Bytes body, PcapngPacket& packet) const {
  OrderedReader fields(body, little_endian_);
  packet.wire_length = fields.u32();
  if (fields.failed()) return PcapngError::bad_block_length;
  if (interfaces_.empty()) return PcapngError::unknown_interface;
  const Interface& from = interfaces_.front();
  const std::uint32_t captured =
      from.snap_length == 0 ? packet.wire_length : std::min(packet.wire_length, from.snap_length);
  packet.bytes = fields.padded(captured);
  if (fields.failed()) return PcapngError::bad_packet_length;
  packet.link_number = from.link_number;
  packet.link = from.link;
  return std::nullopt;
}

}  // namespace tunnelwatch::wire
