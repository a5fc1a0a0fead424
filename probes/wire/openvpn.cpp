#include "probes/wire/openvpn.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr unsigned kOpcodeShift = 3;
constexpr std::uint8_t kKeyIdMask = 7;

bool is_control(std::uint8_t opcode) {
  switch (static_cast<OpenVpnOpcode>(opcode)) {
    case OpenVpnOpcode::soft_reset:
    case OpenVpnOpcode::control:
    case OpenVpnOpcode::ack:
    case OpenVpnOpcode::hard_reset_client_v2:
    case OpenVpnOpcode::hard_reset_server_v2:
    case OpenVpnOpcode::hard_reset_client_v3:
    case OpenVpnOpcode::control_wkc:
      return true;
    case OpenVpnOpcode::data_v1:
    case OpenVpnOpcode::data_v2:
      return false;
  }
  return false;
}

void append(std::vector<std::uint8_t>& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

Parsed<OpenVpnHead> parse_openvpn_head(Bytes packet) noexcept {
  ByteReader r(packet);
  const std::uint8_t first = r.u8();
  const std::uint64_t session = r.u64();
  if (r.failed()) return ParseError::truncated;
  const auto opcode = static_cast<std::uint8_t>(first >> kOpcodeShift);
  if (!is_control(opcode)) return ParseError::bad_version;
  return OpenVpnHead{static_cast<OpenVpnOpcode>(opcode), static_cast<std::uint8_t>(first & kKeyIdMask), session};
}

Parsed<OpenVpnControl> parse_openvpn_body(const OpenVpnHead& head, Bytes body) {
  ByteReader r(body);
  OpenVpnControl control{.head = head, .acks = {}, .acked_session = 0, .message = {}, .payload = {}};
  const std::size_t acks = r.u8();
  if (acks > kOpenVpnMaxAcks) return ParseError::too_many;
  for (std::size_t i = 0; i < acks; ++i) control.acks.push_back(r.u32());
  if (acks > 0) control.acked_session = r.u64();
  if (head.opcode != OpenVpnOpcode::ack) {
    control.message = r.u32();
    const Bytes payload = r.rest();
    control.payload.assign(payload.begin(), payload.end());
  }
  if (r.failed()) return ParseError::truncated;
  return control;
}

std::array<std::uint8_t, kOpenVpnHead> build_openvpn_head(const OpenVpnHead& head) {
  std::vector<std::uint8_t> bytes;
  append(bytes, static_cast<unsigned>(head.opcode) << kOpcodeShift | (head.key_id & kKeyIdMask), 1);
  append(bytes, head.session, 8);
  std::array<std::uint8_t, kOpenVpnHead> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

std::vector<std::uint8_t> build_openvpn_body(const OpenVpnControl& control) {
  std::vector<std::uint8_t> out;
  const std::size_t acks = std::min(control.acks.size(), kOpenVpnMaxAcks);
  append(out, acks, 1);
  for (std::size_t i = 0; i < acks; ++i) append(out, control.acks[i], 4);
  if (acks > 0) append(out, control.acked_session, 8);
  if (control.message) append(out, *control.message, 4);
  out.insert(out.end(), control.payload.begin(), control.payload.end());
  return out;
}

}  // namespace tunnelwatch::wire
