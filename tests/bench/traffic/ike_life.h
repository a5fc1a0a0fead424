#pragma once

#include "tests/support/ike_bytes.h"

#include <cstdint>
#include <random>
#include <vector>

namespace tunnelwatch::bench {

using test::Buffer;

struct IkeMessage {
  std::int64_t at = 0;  // nanoseconds
  bool by_gateway = true;
  std::uint16_t port = 500;  // of both ends
  Buffer bytes;
};

// The IKE between a gateway and one peer, one conversation after another, each from its first message to its end:
// IKEv2 and IKEv1, healthy ones with rekeys, liveness, cookies, retransmissions and fragments, and those that fail.
// The same seed gives the same bytes.
class IkeLife {
 public:
  enum class Kind : std::uint8_t {
    healthy_v2,
    no_proposal_v2,
    refused_v2,    // authentication
    silent_v2,     // the first message is never answered
    dead_peer_v2,  // established, then liveness without an answer
    child_refused_v2,
    healthy_v1,
    no_proposal_v1,
    wrong_key_v1,
  };

  explicit IkeLife(std::uint64_t seed) : random_(seed), is_v1_(random_() % 6 == 0) {}

  // The next conversation, which begins at `at`.
  std::vector<IkeMessage> next(std::int64_t at);
  std::vector<IkeMessage> conversation(Kind kind, std::int64_t at);
  // What makes a healthy IKEv2 tunnel, and no more.
  std::vector<IkeMessage> negotiation(std::int64_t at);
  // Behind it: a liveness request of the gateway's and its answer.
  std::vector<IkeMessage> liveness(std::int64_t at);
  // A first message to the gateway from somebody who asks for a tunnel.
  Buffer initiation();

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Kind choose();
  void begin(std::int64_t at);
  void pass(double seconds) { now_ += static_cast<std::int64_t>(seconds * 1e9); }
  void say(bool by_gateway, const test::RawMessage& message);

  // IKEv2
  test::RawMessage message_v2(std::uint8_t exchange, bool by_gateway, bool response, std::uint32_t id) const;
  test::RawMessage sealed_v2(std::uint8_t exchange, bool by_gateway, bool response, std::uint32_t id,
                             std::uint8_t first, std::size_t plaintext) const;
  std::vector<test::RawPayload> init_payloads(bool response);
  void ask_v2(bool by_gateway, std::uint8_t exchange, std::uint8_t first, std::size_t request, std::size_t response);
  void ask_in_fragments(std::size_t fragments);
  void init_v2(std::vector<test::RawPayload> request);
  void begin_v2();
  void negotiate_v2();
  void live_v2();
  void rekey_ike_v2();

  // IKEv1
  test::RawMessage message_v1(std::uint8_t exchange, std::uint32_t id, std::vector<test::RawPayload> payloads) const;
  test::RawMessage sealed_v1(std::uint8_t exchange, std::uint32_t id, std::size_t bytes);
  void begin_v1();
  void live_v1();
  void quick_mode();

  std::mt19937_64 random_;
  bool is_v1_;
  std::vector<IkeMessage> said_;
  std::int64_t now_ = 0;
  std::uint16_t port_ = 500;
  std::uint64_t spi_i_ = 0;
  std::uint64_t spi_r_ = 0;
  std::uint32_t next_id_[2] = {0, 0};  // of the gateway's and of the peer's requests
};

}  // namespace tunnelwatch::bench
