#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstddef>
#include <cstdint>
#include <vector>

// ESP echo (draft-ietf-ipsecme-esp-ping, draft-colitti-ipsecme-esp-ping): a packet of IP protocol 50 that a node
// answers without an SA, so that a path can be asked whether it carries ESP.
namespace tunnelwatch::wire {

// SPIs 1 to 255 are reserved (RFC 4303 section 2.1): no gateway has an SA for one. Of those the drafts take these two.
inline constexpr std::uint32_t kEspEchoRequest = 7;
inline constexpr std::uint32_t kEspEchoReply = 8;

enum class EspEchoLayout : std::uint8_t {
  message,  // behind SPI and sequence: sub-type, flags, data length, id, number, perhaps a return SPI, data
  bare,     // the first draft's: no payload at all, next header 59 (RFC 4303 section 2.6) behind the padding
};

struct EspEcho {
  bool reply = false;
  EspEchoLayout layout = EspEchoLayout::message;
  std::uint32_t sequence = 0;  // of the ESP header
  std::uint16_t id = 0;        // of a message, as are the next two
  std::uint16_t number = 0;
  Bytes data;            // points into what was parsed
  std::size_t size = 0;  // of all that was parsed
};

// `esp`: an ESP packet from its SPI on. What stands behind the data of a message is ignored. Errors: truncated;
// unsupported where the SPI is neither of the two, or the sub-type is not that of its SPI; bad_length where the data
// ends behind the packet.
Parsed<EspEcho> parse_esp_echo(Bytes esp) noexcept;

// A request of the layout `message`. Data beyond what its length field can tell is cut.
std::vector<std::uint8_t> esp_echo_request(std::uint32_t sequence, std::uint16_t id, std::uint16_t number, Bytes data);

// The answer to a request, in its layout and with its numbers and data: never longer than the request was. A return
// SPI names an SA, which an echo outside of any has no use for, and is left out.
std::vector<std::uint8_t> esp_echo_reply(const EspEcho& request);

}  // namespace tunnelwatch::wire
