#include "probes/active/ike_probe.h"
#include "probes/wire/byte_reader.h"

namespace tunnelwatch::active {

using wire::ByteReader;

namespace {

constexpr std::size_t kHeaderSize = 28;
constexpr std::uint8_t kSa1 = 1;
constexpr std::uint8_t kNotify1 = 11;
constexpr std::uint8_t kSa2 = 33;
constexpr std::uint8_t kNotify2 = 41;
constexpr std::uint8_t kInformational1 = 5;
constexpr std::uint8_t kFlagEncrypted1 = 0x01;
constexpr std::uint8_t kFlagResponse2 = 0x20;
constexpr std::uint16_t kFirstStatus2 = 16384;
constexpr int kMaxPayloads = 32;

void read_notify(ByteReader payload, IkeAnswer& answer) {
  if (answer.version == 1) payload.skip(4);  // DOI
  payload.skip(2);                           // protocol, SPI size
  const std::uint16_t type = payload.u16();
  if (payload.failed()) return;
  const bool first = !answer.has_notify;
  const bool outranks = answer.notify >= kFirstStatus2 && type < kFirstStatus2;
  answer.has_notify = true;
  if (first || outranks) answer.notify = type;
}

// The chain of payloads as far as it is in clear and well formed. What follows damage is left out: the SPI has proved
// whose answer it is.
void read_payloads(std::uint8_t type, ByteReader body, IkeAnswer& answer) {
  for (int i = 0; i < kMaxPayloads && type != 0; ++i) {
    const std::uint8_t next = body.u8();
    body.skip(1);
    const std::uint16_t length = body.u16();
    if (body.failed() || length < 4) return;
    const ByteReader payload = body.sub(length - 4U);
    if (body.failed()) return;
    if (type == (answer.version == 1 ? kNotify1 : kNotify2)) read_notify(payload, answer);
    if (type == (answer.version == 1 ? kSa1 : kSa2)) answer.has_sa = true;
    type = next;
  }
}

}  // namespace

std::optional<IkeAnswer> read_ike_answer(std::span<const std::uint8_t> bytes) {
  ByteReader r(bytes);
  IkeAnswer answer;
  answer.initiator_spi = r.u64();
  const std::uint64_t responder_spi = r.u64();
  const std::uint8_t first = r.u8();
  answer.version = r.u8() >> 4;
  const std::uint8_t exchange = r.u8();
  const std::uint8_t flags = r.u8();
  r.skip(4);
  const std::uint32_t length = r.u32();
  if (r.failed() || length < kHeaderSize || length > bytes.size()) return std::nullopt;
  const bool v1 = answer.version == 1;
  if (!v1 && answer.version != 2) {  // nobody speaks another version, but our own request does
    answer.reflected = true;
    return answer;
  }
  if (!v1 || (flags & kFlagEncrypted1) == 0) {
    read_payloads(first, ByteReader(bytes.subspan(kHeaderSize, length - kHeaderSize)), answer);
  }
  const bool response = v1 ? exchange == kInformational1 : (flags & kFlagResponse2) != 0;
  answer.reflected = !response && responder_spi == 0 && !answer.has_notify;
  return answer;
}

}  // namespace tunnelwatch::active
