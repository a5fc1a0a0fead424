#include "probes/passive/reassembly.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Each 8 bytes are one fragment of one of eight trains: train, flags, offset, length, fill and time. The bounds hold
// after each, and what comes out is no larger than a datagram can be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  passive::Reassembly reassembly({.trains = 4, .total_bytes = 4096, .fragments = 16});
  static std::uint8_t bytes[2048];
  TimePoint now{std::chrono::seconds(1)};
  for (; size >= 8; data += 8, size -= 8) {
    for (std::size_t i = 8; i < sizeof bytes; ++i) bytes[i] = data[5];
    const std::uint16_t port = data[1] & 2 ? 500 : data[1] & 4 ? 4500 : 53;
    bytes[0] = bytes[2] = static_cast<std::uint8_t>(port >> 8);
    bytes[1] = bytes[3] = static_cast<std::uint8_t>(port);
    bytes[4] = data[6];
    bytes[5] = data[7];
    wire::Datagram d;
    d.kind = wire::DatagramKind::fragment;
    d.ip_protocol = 17;
    d.fragment_id = data[0] % 8U;
    d.more_fragments = (data[1] & 1) != 0;
    d.cut = data[1] == 0xff;
    d.fragment_offset = static_cast<std::uint16_t>(data[2] * 8U);
    const std::size_t length = d.more_fragments ? (1U + data[3] % 128U) * 8U : 1U + data[3];
    d.payload = wire::Bytes(bytes).first(length);
    d.wire_length = static_cast<std::uint32_t>(20 + length);
    now += std::chrono::milliseconds(data[4] * 20);
    const auto* whole = reassembly.add(d, now);
    if (whole != nullptr && whole->payload.size() > 65535) std::abort();
    if (reassembly.trains() > 4 || reassembly.bytes() > 4096) std::abort();
  }
  reassembly.expire(now + std::chrono::hours(1));
  if (reassembly.trains() != 0 || reassembly.bytes() != 0) std::abort();
  return 0;
}
