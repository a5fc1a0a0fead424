#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Packets of OpenVPN's control channel, without the wrapping of tls-auth and tls-crypt (openvpn_wrap.h): an opcode with
// the key id, the sender's session id, then what is acknowledged, and of all but acknowledgements a message id with a
// piece of the TLS stream. Over TCP each packet has its length before it, two bytes.
// https://openvpn.net/community-docs/openvpn-protocol.html and the protocol's draft RFC (openvpn-rfc).
namespace tunnelwatch::wire {

enum class OpenVpnOpcode : std::uint8_t {
  soft_reset = 3,
  control = 4,
  ack = 5,
  data_v1 = 6,
  hard_reset_client_v2 = 7,
  hard_reset_server_v2 = 8,
  data_v2 = 9,
  hard_reset_client_v3 = 10,  // of a client with a key of its own (tls-crypt-v2), which stands behind the packet
  control_wkc = 11,
};

inline constexpr std::size_t kOpenVpnHead = 9;     // opcode and session id: never encrypted
inline constexpr std::size_t kOpenVpnMaxAcks = 8;  // of one packet
inline constexpr std::size_t kOpenVpnMaxPacket = 2048;

struct OpenVpnHead {
  OpenVpnOpcode opcode = OpenVpnOpcode::control;
  std::uint8_t key_id = 0;
  std::uint64_t session = 0;  // of who sends it
};

struct OpenVpnControl {
  OpenVpnHead head;
  std::vector<std::uint32_t> acks;       // message ids of the other end, at most kOpenVpnMaxAcks
  std::uint64_t acked_session = 0;       // whose they are; on the wire only beside acks
  std::optional<std::uint32_t> message;  // its own id; none in an acknowledgement alone
  std::vector<std::uint8_t> payload;     // of TLS
};

// What no wrapping hides. Errors: truncated, bad_version (an opcode that there is not, or one of the data channel).
Parsed<OpenVpnHead> parse_openvpn_head(Bytes packet) noexcept;

// `body` is what follows the head, unwrapped. Errors: truncated, too_many (acknowledgements).
Parsed<OpenVpnControl> parse_openvpn_body(const OpenVpnHead& head, Bytes body);

std::array<std::uint8_t, kOpenVpnHead> build_openvpn_head(const OpenVpnHead& head);
std::vector<std::uint8_t> build_openvpn_body(const OpenVpnControl& control);

}  // namespace tunnelwatch::wire
