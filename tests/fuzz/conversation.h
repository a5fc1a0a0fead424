#pragma once

#include "probes/time.h"
#include "probes/wire/byte_reader.h"
#include "tests/support/ike_bytes.h"

#include <optional>
#include <string_view>
#include <vector>

// Turns a fuzzer's bytes into IP packets as gateways send them: IKE of both versions whose fields are chosen from what
// occurs, so that a few bytes are a negotiation, and any mutation of them is another; repeated, fragmented, broken and
// raw packets; ESP; ICMP errors about what was sent before; clocks that jump both ways.
namespace tunnelwatch::fuzz {

class Conversation {
 public:
  explicit Conversation(wire::Bytes script) : script_(script) {}

  struct Step {
    Duration pause{};                   // since the step before; may be negative
    std::vector<test::Buffer> packets;  // one datagram: whole, or in its IP fragments, perhaps out of order
    bool whole_ike = false;             // an IKE datagram that was not broken
  };
  // Nothing at the end of the script. At most kMostSteps.
  std::optional<Step> next();

  static constexpr std::size_t kMostSteps = 256;
  static constexpr std::string_view kLocal = "192.0.2.10";

 private:
  test::Buffer message_v2();
  test::Buffer message_v1();
  test::RawPayload payload_v2();
  test::RawPayload payload_v1();
  test::Buffer esp();
  test::Buffer in_udp(const test::Buffer& message, bool ike);
  test::Buffer in_ip(unsigned protocol, const test::Buffer& payload);
  test::Buffer icmp_about(const test::Buffer& packet);
  std::vector<test::Buffer> in_fragments(const test::Buffer& packet);

  wire::ByteReader script_;
  std::size_t steps_ = 0;
  std::uint8_t ends_ = 0;              // of the packet at hand: who sends, to whom, on which port
  test::Suite suite_;                  // of the SA payload that came last: what is encrypted has its sizes
  std::vector<test::Buffer> earlier_;  // datagrams that may be repeated or quoted
};

}  // namespace tunnelwatch::fuzz
