#pragma once

#include "probes/active/icmp_echo.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

// A scripted network around the echo machine: manual time, packets in a list, replies made from requests.
namespace tunnelwatch::active {

using namespace std::chrono_literals;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }

inline std::uint16_t checksum_of(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i] << (i % 2 == 0 ? 8 : 0));
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

inline void set_checksum(std::vector<std::uint8_t>& icmp) {
  icmp[2] = icmp[3] = 0;
  const std::uint16_t sum = checksum_of(icmp);
  icmp[2] = static_cast<std::uint8_t>(sum >> 8);
  icmp[3] = static_cast<std::uint8_t>(sum);
}

struct Sent {
  EchoPacket packet;
  std::vector<std::uint8_t> bytes;
  TimePoint at;
};

class EchoModel {
 public:
  explicit EchoModel(std::uint64_t seed = 1) : echo(seed) {}

  // Runs the machine up to `until` (included), waking it whenever it asks to be.
  void run_until(TimePoint until) {
    while (echo.next_deadline() && *echo.next_deadline() <= until) {
      now = std::max(now, *echo.next_deadline());
      wake();
    }
    now = until;
    wake();
  }
  void run_for(Duration d) { run_until(now + d); }
  // Runs to the moment of the first request: it comes at a random phase of the interval.
  void run_to_first_request() {
    while (sent.empty()) run_until(*echo.next_deadline());
  }
  // One call of advance, however late.
  void wake() {
    echo.advance(now, out);
    collect();
  }
  void collect() {
    for (const EchoPacket& p : out.packets) {
      const auto bytes = out.bytes_of(p);
      sent.push_back({p, {bytes.begin(), bytes.end()}, now});
      echo.on_sent(p.target, p.sequence, now);
    }
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    out.clear();
  }

  static std::vector<std::uint8_t> reply_to(const Sent& request) {
    std::vector<std::uint8_t> bytes = request.bytes;
    const bool v4 = request.packet.to.is_v4();
    bytes[0] = v4 ? 0 : 129;
    if (v4) set_checksum(bytes);
    return bytes;
  }
  void receive(const std::vector<std::uint8_t>& bytes, const IpAddress& from, TimePoint at) {
    echo.on_message(bytes, from, 61, at, out);
    collect();
  }
  void answer(const Sent& request, Duration rtt) { receive(reply_to(request), request.packet.to, request.at + rtt); }

  // An ICMP error that quotes the whole request.
  static std::vector<std::uint8_t> error_about(const Sent& request, std::uint8_t type, std::uint8_t code) {
    std::vector<std::uint8_t> bytes{type, code, 0, 0, 0, 0, 0, 0};
    const auto to = request.packet.to.bytes();
    if (request.packet.to.is_v4()) {
      const std::vector<std::uint8_t> header{0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1};
      bytes.insert(bytes.end(), header.begin(), header.end());
    } else {
      const std::vector<std::uint8_t> header{0x60, 0, 0, 0, 0, 64, 58, 64};
      bytes.insert(bytes.end(), header.begin(), header.end());
      bytes.insert(bytes.end(), 16, 0x20);
    }
    bytes.insert(bytes.end(), to.begin(), to.end());
    bytes.insert(bytes.end(), request.bytes.begin(), request.bytes.end());
    return bytes;
  }

  std::size_t count(EchoOutcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(seen.begin(), seen.end(), [&](const EchoObservation& o) { return o.outcome == outcome; }));
  }

  IcmpEcho echo;
  TimePoint now{1h};
  EchoActions out;
  std::vector<Sent> sent;
  std::vector<EchoObservation> seen;
};

}  // namespace tunnelwatch::active
