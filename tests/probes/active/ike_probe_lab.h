#pragma once

#include "probes/active/ike_probe.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <vector>

// A machine of IKE probes, its clock, and a peer of which a test says what it answers.
namespace tunnelwatch::active::probing {

using namespace std::chrono_literals;
using Kind = IkeProbeKind;
using Outcome = IkeProbeOutcome;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline const IpAddress kPeer = ip("198.51.100.20");
inline const config::IkeProbe kSettings{.interval = 10s, .timeout = 1s, .burst = 3};

inline std::uint64_t read64(std::span<const std::uint8_t> b) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < 8; ++i) v = v << 8 | b[i];
  return v;
}

// The answer of a responder: header and one notify (v1 or v2), or a bare header where `notify` is 0.
inline std::vector<std::uint8_t> answer_to(const IkeProbePacket& p, unsigned version, std::uint16_t notify) {
  const std::size_t marker = p.port == 4500 ? 4 : 0;
  std::vector<std::uint8_t> b(p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(marker + 8));
  const auto put = [&](std::initializer_list<unsigned> bytes) {
    for (const unsigned x : bytes) b.push_back(static_cast<std::uint8_t>(x));
  };
  const unsigned high = notify >> 8, low = notify & 0xffU;
  const bool v1 = version == 1;
  put({0, 0, 0, 0, 0, 0, 0, 0});
  put({notify == 0 ? 0U : v1 ? 11U : 41U, version << 4, v1 ? 5U : 34U, v1 ? 0U : 0x20U, 0, 0, 0, 0, 0, 0, 0, 0});
  if (notify != 0) {
    if (v1) {
      put({0, 0, 0, 12, 0, 0, 0, 1, 1, 0, high, low});
    } else {
      put({0, 0, 0, 8, 0, 0, high, low});
    }
  }
  b[marker + 27] = static_cast<std::uint8_t>(b.size() - marker);
  return b;
}

// A peer of which a test says what it answers, and the wire to it.
class Lab {
 public:
  using Responder = std::function<std::optional<std::vector<std::uint8_t>>(const IkeProbePacket&)>;

  explicit Lab(const config::IkeProbe& settings = kSettings) : probe(1, settings) {}

  void add(std::uint32_t id = 1, config::IkeVersion version = config::IkeVersion::any) {
    probe.add_target(id, {.address = kPeer, .source = {}, .version = version}, now);
  }
  void run_for(Duration d) {
    const TimePoint until = now + d;
    while (probe.next_deadline() && *probe.next_deadline() <= until) {
      now = std::max(now, *probe.next_deadline());
      wake();
    }
    now = until;
  }
  void wake() {
    probe.advance(now, out);
    collect();
  }
  void collect() {
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    const auto packets = std::move(out.packets);
    out.clear();
    for (const IkeProbePacket& p : packets) {
      sent.push_back({p, now});
      probe.on_sent(p.probe, now);
      if (!responder) continue;
      if (const auto bytes = responder(p)) receive(*bytes, kPeer, p.port, now + 20ms);
    }
  }
  void receive(const std::vector<std::uint8_t>& bytes, const IpAddress& from, std::uint16_t port, TimePoint at) {
    probe.on_datagram(bytes, from, port, at, out);
    seen.insert(seen.end(), out.observations.begin(), out.observations.end());
    out.observations.clear();
  }
  struct SentPacket {
    IkeProbePacket packet;
    TimePoint at;
  };
  std::vector<SentPacket> on_port(std::uint16_t port) const {
    std::vector<SentPacket> found;
    for (const auto& s : sent) {
      if (s.packet.port == port) found.push_back(s);
    }
    return found;
  }
  std::vector<Kind> kinds(std::uint16_t port) const {
    std::vector<Kind> found;
    for (const auto& s : on_port(port)) found.push_back(s.packet.kind);
    return found;
  }
  std::vector<Outcome> outcomes(std::uint16_t port) const {
    std::vector<Outcome> found;
    for (const auto& o : seen) {
      if (o.port == port) found.push_back(o.outcome);
    }
    return found;
  }

  IkeProbe probe;
  TimePoint now{1h};
  IkeProbeActions out;
  Responder responder;
  std::vector<SentPacket> sent;
  std::vector<IkeProbeObservation> seen;
};

inline std::optional<std::vector<std::uint8_t>> answers_all(const IkeProbePacket& p) {
  return answer_to(p, 2, p.kind == Kind::version3 ? 5 : 14);
}
inline Lab::Responder answers_only(Kind kind) {
  return [kind](const IkeProbePacket& p) {
    return p.kind == kind ? answers_all(p) : std::optional<std::vector<std::uint8_t>>{};
  };
}

}  // namespace tunnelwatch::active::probing
