#include "probes/passive/nat_detection.h"
#include "tests/fuzz/check.h"

#include <cstdint>

// Two bytes choose ends and ports, the rest is a message. Nothing is told of a message without hashes; the same message
// says the same at any time; and what it says of one end does not hang on the other's address.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  if (size < 2) return 0;
  const wire::Bytes bytes(data + 2, size - 2);
  const auto message = wire::parse_ike(bytes, (data[0] & 1) != 0);
  if (!message) return 0;
  const bool v6 = (data[0] & 2) != 0;
  const IpAddress a = *IpAddress::parse(v6 ? "2001:db8::1" : "192.0.2.10");
  const IpAddress b = *IpAddress::parse(v6 ? "2001:db8::2" : "198.51.100.20");
  const std::uint16_t port_a = (data[1] & 1) != 0 ? 500 : 4500;
  const std::uint16_t port_b = (data[1] & 2) != 0 ? 500 : 61'001;
  const auto seen = passive::nat_hashes(*message, a, port_a, b, port_b);
  const auto again = passive::nat_hashes(*message, a, port_a, b, port_b);
  check(seen.source_differs == again.source_differs && seen.destination_differs == again.destination_differs);
  const auto elsewhere = passive::nat_hashes(*message, a, port_a, a, 1);
  check(seen.source_differs == elsewhere.source_differs);
  if (message->payloads.empty()) check(!seen.source_differs && !seen.destination_differs);
  return 0;
}
