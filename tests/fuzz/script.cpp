#include "tests/fuzz/script.h"

#include <initializer_list>

// The numbers are those that conversation.cpp reads: an index into one of its tables, or bits of a step.
namespace tunnelwatch::fuzz {

namespace {

using test::Buffer;

enum Kind : std::uint8_t { v2 = 0, v1 = 2, again = 3, esp_packet = 4, icmp_error = 5, fragmented = 0x20 };
enum Pause : std::uint8_t {
  at_once = 0,
  soon = 5,
  a_second = 7,
  three_seconds = 9,
  half_a_minute = 11,
  an_hour = 13,
  back = 15
};
enum Ends : std::uint8_t { ours = 0, theirs = 1, nat_port = 2, far_port = 4, ipv6 = 8 };
enum Exchange : std::uint8_t {
  init = 0,
  auth = 1,
  child = 2,
  info = 3,
  response = 0x10,
  initiator = 0x20,
  id_one = 0x40,
  id_two = 0x80
};
constexpr std::uint8_t kNoResponder = 0x83;  // SPI of the initiator alone
constexpr std::uint8_t kBoth = 0x43;

class Script {
 public:
  Script& step(unsigned kind, unsigned pause, unsigned ends, std::initializer_list<unsigned> more = {}) {
    for (const unsigned byte : {kind, pause, ends}) bytes_.push_back(static_cast<std::uint8_t>(byte));
    for (const unsigned byte : more) bytes_.push_back(static_cast<std::uint8_t>(byte));
    return *this;
  }
  Script& negotiate(unsigned ends = ours) {
    step(v2, at_once, ends | ours, {kNoResponder, init | initiator, 3, 0, 0, 1, 0, 2, 32});
    step(v2, at_once, ends | theirs, {kBoth, init | response, 3, 0, 0, 1, 0, 2, 32});
    return *this;
  }
  // An encrypted message: 14 and 24 choose what it begins with, `half` is half of its plaintext.
  Script& sealed(unsigned pause, unsigned ends, unsigned exchange, unsigned first, unsigned half) {
    return step(v2, pause, ends, {kBoth, exchange, 1, first, half});
  }
  Script& connect(unsigned ends = ours) {
    negotiate(ends);
    sealed(at_once, ends | ours | nat_port, auth | initiator | id_one, 14, 110);
    return sealed(at_once, ends | theirs | nat_port, auth | response | id_one, 24, 90);
  }
  operator Buffer() const { return bytes_; }

 private:
  Buffer bytes_;
};

Buffer rekeyed() {
  Script s;
  s.connect();
  s.sealed(three_seconds, ours | nat_port, child | initiator | id_two, 54, 120);
  s.sealed(at_once, theirs | nat_port, child | response | id_two, 54, 110);
  s.step(esp_packet, soon, ours | nat_port, {1, 0, 1}).step(esp_packet, at_once, theirs | nat_port, {2, 0, 1});
  return s;
}

Buffer version_1() {
  Script s;
  s.step(v1, at_once, ours, {0x83, 0, 1, 0, 0}).step(v1, at_once, theirs, {0x43, 0, 1, 0, 0});
  s.step(v1, at_once, ours, {0x43, 0, 2, 1, 1, 2, 16}).step(v1, at_once, theirs, {0x43, 0, 2, 1, 2, 2, 16});
  s.step(v1, at_once, ours | nat_port, {0x43, 0x10, 4, 1}).step(v1, at_once, theirs | nat_port, {0x43, 0x10, 4, 2});
  for (const unsigned ends : {0U, 1U, 0U}) s.step(v1, soon, ends | nat_port, {0x43, 0x34, 9, ends});
  s.step(v1, half_a_minute, ours | nat_port, {0x43, 0x52, 4, 7});
  return s;
}

}  // namespace

std::vector<NamedScript> scripts() {
  Script silent;
  silent.negotiate().sealed(at_once, ours | nat_port, auth | initiator | id_one, 14, 110);
  for (int i = 0; i < 3; ++i) silent.step(again, a_second | 0x20, ours);
  Script gone;
  gone.connect().sealed(three_seconds, ours | nat_port, info | initiator | id_two, 4, 0);
  for (int i = 0; i < 3; ++i) gone.step(again, a_second | 0x40, ours);
  Script rejected;
  rejected.step(v2, at_once, ours, {kNoResponder, init | initiator, 2, 0, 0, 1, 0})
      .step(icmp_error, at_once, theirs, {7});
  return {
      {"up", Script().connect()},
      {"up-ipv6", Script().connect(ipv6)},
      {"up-nat", Script().connect(far_port)},
      {"refused", Script()
                      .negotiate()
                      .sealed(at_once, ours | nat_port, auth | initiator | id_one, 14, 110)
                      .sealed(at_once, theirs | nat_port, auth | response | id_one, 34, 4)},
      {"no-proposal", Script()
                          .step(v2, at_once, ours, {kNoResponder, init | initiator, 2, 0, 0, 1, 0})
                          .step(v2, at_once, theirs, {kNoResponder, init | response, 1, 3, 1})},
      {"silent", silent},
      {"gone", gone},
      {"rejected", rejected},
      {"rekeyed", rekeyed()},
      {"deleted", Script()
                      .connect()
                      .sealed(three_seconds, theirs | nat_port, info, 44, 4)
                      .sealed(at_once, ours | nat_port, info | response | initiator, 4, 0)},
      {"version-1", version_1()},
      {"fragments", Script().negotiate().step(v2 | fragmented, at_once, ours | nat_port,
                                              {kBoth, auth | initiator | id_one, 1, 14, 250, 1})},
      {"clock-back", Script().connect().step(again, back, ours).step(again, an_hour, ours)},
  };
}

}  // namespace tunnelwatch::fuzz
