#pragma once

#include "tests/support/ike_script.h"

#include <map>
#include <utility>

namespace tunnelwatch::test {

// A configured tunnel whose negotiation can be told to stand, with the traffic around it fed to the Watch as captures
// and probes would.
class TrafficScript : public IkeScript {
 public:
  static constexpr std::uint16_t kWan = 1;
  static constexpr std::uint16_t kOtherWan = 2;
  static constexpr std::uint16_t kInside = 3;

  explicit TrafficScript(const config::Tunnel& settings = tunnel(), bool offline = true) {
    watch().set_options({.discovery = {}, .loss = {}, .offline = offline});
    watch().name_interface(kWan, "wan");
    watch().name_interface(kOtherWan, "wan2");
    watch().name_interface(kInside, "ipsec0");
    watch().configure({settings});
  }

  static config::Tunnel tunnel() {
    config::Tunnel t;
    t.name = "cloud";
    t.local = kLocal;
    t.remote = {kRemote.to_string(), kRemote};
    t.local_subnets = {*IpPrefix::parse("10.1.0.0/24")};
    t.remote_subnets = {*IpPrefix::parse("10.2.0.0/24")};
    return t;
  }
  agent::Tunnel& subject() { return *watch().tunnels().front(); }

  // The negotiation is another test's matter: here both SAs stand from now on.
  void up(int ms) {
    pass(ms);
    auto& facts = subject().evidence().facts();
    facts.affirm(diagnosis::FactId::ike_up, now(), diagnosis::Confidence::confirmed, {"up", "up"});
    facts.affirm(diagnosis::FactId::child_up, now(), diagnosis::Confidence::confirmed, {"up", "up"});
    watch().settle(now());
  }
  void leak(int ms, std::uint64_t packets, std::uint64_t translated, int since_ms, bool carries_outer = true,
            std::uint16_t interface = kWan) {
    pass(ms);
    passive::LeakSummary s;
    s.tunnel = "cloud";
    s.interface = interface;
    s.carries_outer = carries_outer;
    s.packets = packets;
    s.translated = translated;
    s.source = translated != 0 ? kLocal : *IpAddress::parse("10.1.0.7");
    s.destination = *IpAddress::parse("10.2.0.7");
    s.first = at(since_ms);
    s.last = now();
    watch().on_leak(s);
    watch().settle(now());
  }

  // One more summary of a stream that has `packets` more, `lost` more between them.
  void esp_flow(int ms, From from, std::uint64_t packets, std::uint64_t lost = 0, std::uint64_t bytes_each = 100,
                std::uint16_t interface = kWan) {
    pass(ms);
    auto& s = streams_[{from, interface}];
    if (s.packets == 0) s.first = now();
    s.source = from == From::local ? kLocal : kRemote;
    s.destination = from == From::local ? kRemote : kLocal;
    s.spi = from == From::local ? 0x1000 : 0x2000;
    s.interface = interface;
    s.live = true;
    s.packets += packets;
    s.lost += lost;
    s.bytes += packets * bytes_each;
    s.last = now();
    watch().on_esp(s);
    watch().settle(now());
  }
  // Seconds [from, to) of traffic both ways, one summary of each direction a second; `lost` of the peer's in each.
  void both_ways(int from_s, int to_s, std::uint64_t packets, std::uint64_t lost = 0) {
    for (int s = from_s; s < to_s; ++s) {
      esp_flow(1000 * s, From::local, packets);
      esp_flow(1000 * s + 10, From::remote, packets - lost, lost);
    }
  }
  // Seconds [from, to) of one ping a second to each host over a tunnel that carries traffic both ways; `answers` says
  // of each whether it answered this one.
  struct Host {
    std::string name;
    std::string address;
    bool answers = true;
    bool fits = true;
    RefusalReason refused = RefusalReason::none;
  };
  void pings(int from_s, int to_s, const std::vector<Host>& hosts, bool esp_returns = true) {
    for (int second = from_s; second < to_s; ++second) {
      const bool ipsec = subject().settings().kind == config::TunnelKind::ipsec;
      if (ipsec) esp_flow(1000 * second, From::local, 1);
      if (ipsec && esp_returns) esp_flow(1000 * second + 10, From::remote, 1);
      for (std::size_t i = 0; i < hosts.size(); ++i) {
        const Host& host = hosts[i];
        auto& w = windows_[host.name];
        w.sent += 1;
        w.lost += host.answers ? 0 : 1;
        w.consecutive_losses = host.answers ? 0 : w.consecutive_losses + 1;
        w.last_reason = host.refused;
        if (host.answers) w.last_reply = now();
        subject().traffic().on_inner_echo({host.name, IpAddress::parse(host.address), host.fits}, w, now(),
                                          i + 1 == hosts.size());
      }
      watch().settle(now());
    }
  }
  void echoes(diagnosis::FactId fact, bool loses) {
    auto& facts = subject().evidence().facts();
    if (loses) {
      facts.affirm(fact, now(), diagnosis::Confidence::likely, {"echoes lost", "echoes lost"});
    } else {
      facts.deny(fact, now());
    }
    watch().settle(now());
  }
  bool is(diagnosis::FactId fact) { return subject().evidence().facts().is(fact); }
  bool is_not(diagnosis::FactId fact) { return subject().evidence().facts().is_not(fact); }

  std::string evidence_of(std::string_view cause) {
    for (const auto* c : subject().verdict().ranked()) {
      if (to_string(c->cause) == cause && !c->evidence.empty()) return c->evidence.front().en;
    }
    return "";
  }
  std::string confidence_of(std::string_view cause) {
    for (const auto* c : subject().verdict().ranked()) {
      if (to_string(c->cause) == cause) return std::string(diagnosis::to_string(c->confidence));
    }
    return "";
  }

 private:
  std::map<std::string, active::EchoWindow> windows_;
  std::map<std::pair<From, std::uint16_t>, passive::EspStreamSummary> streams_;
};

}  // namespace tunnelwatch::test
