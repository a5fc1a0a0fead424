#include "probes/wire/esp_echo.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::uint8_t kSubTypeRequest = 2;
constexpr std::uint8_t kSubTypeReply = 3;
constexpr std::uint8_t kFlagReturnSpi = 0x80;
constexpr std::uint8_t kNoNextHeader = 59;
constexpr std::size_t kMessageHeader = 8;
constexpr std::size_t kTrailer = 2;  // pad length and next header

void put(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t size) {
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
}

// Nothing but padding (1, 2, 3 ...: RFC 4303 section 2.4), its length, and "no next header".
bool is_bare(Bytes body) {
  if (body.size() < kTrailer || body.back() != kNoNextHeader) return false;
  const std::size_t padding = body[body.size() - kTrailer];
  if (padding != body.size() - kTrailer) return false;
  return padding == 0 || body.front() == 1;
}

std::vector<std::uint8_t> message(std::uint32_t spi, std::uint8_t sub_type, const EspEcho& echo) {
  const Bytes data = echo.data.first(std::min<std::size_t>(echo.data.size(), 0xffff));
  std::vector<std::uint8_t> out;
  out.reserve(8 + kMessageHeader + data.size());
  put(out, spi, 4);
  put(out, echo.sequence, 4);
  put(out, sub_type, 1);
  put(out, 0, 1);
  put(out, data.size(), 2);
  put(out, echo.id, 2);
  put(out, echo.number, 2);
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

}  // namespace

Parsed<EspEcho> parse_esp_echo(Bytes esp) noexcept {
  ByteReader r(esp);
  const std::uint32_t spi = r.u32();
  EspEcho echo;
  echo.sequence = r.u32();
  if (r.failed()) return ParseError::truncated;
  if (spi != kEspEchoRequest && spi != kEspEchoReply) return ParseError::unsupported;
  echo.reply = spi == kEspEchoReply;
  echo.size = esp.size();
  if (is_bare(esp.subspan(r.position()))) {
    echo.layout = EspEchoLayout::bare;
    return echo;
  }
  const std::uint8_t sub_type = r.u8();
  const std::uint8_t flags = r.u8();
  const std::uint16_t length = r.u16();
  echo.id = r.u16();
  echo.number = r.u16();
  if (r.failed()) return ParseError::truncated;
  if (sub_type != (echo.reply ? kSubTypeReply : kSubTypeRequest)) return ParseError::unsupported;
  if ((flags & kFlagReturnSpi) != 0) r.skip(4);
  echo.data = r.take(length);
  if (r.failed()) return ParseError::bad_length;
  return echo;
}

std::vector<std::uint8_t> esp_echo_request(std::uint32_t sequence, std::uint16_t id, std::uint16_t number, Bytes data) {
  return message(kEspEchoRequest, kSubTypeRequest, {.sequence = sequence, .id = id, .number = number, .data = data});
}

std::vector<std::uint8_t> esp_echo_reply(const EspEcho& request) {
  if (request.layout == EspEchoLayout::message) return message(kEspEchoReply, kSubTypeReply, request);
  // As much padding as makes whole words, which the shortest request of this layout may lack.
  const std::size_t padding = request.size >= 12 ? 2 : 0;
  std::vector<std::uint8_t> out;
  put(out, kEspEchoReply, 4);
  put(out, request.sequence, 4);
  for (std::size_t i = 1; i <= padding; ++i) put(out, i, 1);
  put(out, padding, 1);
  put(out, kNoNextHeader, 1);
  return out;
}

}  // namespace tunnelwatch::wire
