#pragma once

#include "agent/watch.h"
#include "tests/support/ike_bytes.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tunnelwatch::test {

// A conversation between this gateway and a peer, fed to a Watch as a capture would: times in milliseconds.
class IkeScript {
 public:
  IkeScript() : watch_({.discovery = {}, .loss = {}, .offline = true}) {}

  enum class From { local, remote };

  void ike(int ms, From from, const RawMessage& message, std::uint16_t port = 500) {
    raw(ms, from, bytes_of(message), port);
  }
  void raw(int ms, From from, const Buffer& bytes, std::uint16_t port = 500, bool reassembled = false) {
    pass(ms);
    wire::Datagram d = addressed(from, port);
    d.kind = wire::DatagramKind::ike;
    d.payload = bytes;
    sink_->on_ike(d, now_, reassembled);
    if (tap_) tap_(d, now_, reassembled);
    watch_.settle(now_);
  }
  // Between any addresses and ports.
  void between(int ms, const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
               std::uint16_t destination_port, const Buffer& bytes) {
    pass(ms);
    wire::Datagram d;
    d.kind = wire::DatagramKind::ike;
    d.source = source;
    d.destination = destination;
    d.source_port = source_port;
    d.destination_port = destination_port;
    d.ttl = source == kLocal ? 64 : 57;
    d.payload = bytes;
    sink_->on_ike(d, now_, false);
    watch_.settle(now_);
  }
  void esp(int ms, From from, std::uint64_t packets) {
    pass(ms);
    passive::EspStreamSummary s;
    s.source = from == From::local ? kLocal : kRemote;
    s.destination = from == From::local ? kRemote : kLocal;
    s.spi = from == From::local ? 0x1000 : 0x2000;
    s.packets = packets;
    s.first = s.last = now_;
    sink_->on_esp(s);
    watch_.settle(now_);
  }
  // An ICMP error about our IKE to `port`, from the peer itself or from a router; or about ESP with this payload.
  void icmp(int ms, bool from_peer, std::uint8_t type, std::uint8_t code, wire::DatagramKind quoted_kind,
            std::uint16_t port, wire::Bytes payload = {}) {
    pass(ms);
    wire::Datagram error;
    error.kind = wire::DatagramKind::icmp_error;
    error.source = from_peer ? kRemote : *IpAddress::parse("192.0.2.1");
    error.destination = kLocal;
    error.icmp_type = type;
    error.icmp_code = code;
    wire::Datagram quoted = addressed(From::local, port);
    quoted.kind = quoted_kind;
    quoted.payload = payload;
    sink_->on_icmp_error(error, quoted, now_);
    watch_.settle(now_);
  }
  // Who else is told of every message, before the watch draws its conclusions.
  void set_tap(std::function<void(const wire::Datagram&, TimePoint, bool)> tap) { tap_ = std::move(tap); }
  // Time passes as it does live.
  void pass(int until_ms) {
    const TimePoint until = TimePoint{} + std::chrono::hours(1) + std::chrono::milliseconds(until_ms);
    while (now_ + std::chrono::milliseconds(100) < until) {
      now_ += std::chrono::milliseconds(100);
      if (on_time_) on_time_(now_);
      watch_.advance(now_);
    }
    now_ = std::max(now_, until);
  }
  void finish() { watch_.finish(now_); }
  // What comes goes through `sink`, which hands it on to the watch; `on_time` hears of each step of time before the
  // watch.
  void through(passive::PacketSink& sink, std::function<void(TimePoint)> on_time) {
    sink_ = &sink;
    on_time_ = std::move(on_time);
  }
  TimePoint now() const { return now_; }
  static TimePoint at(int ms) { return TimePoint{} + std::chrono::hours(1) + std::chrono::milliseconds(ms); }

  std::vector<std::string> active() const { return causes(true); }
  std::vector<std::string> cleared() const { return causes(false); }
  std::string state() const {
    return watch_.tunnels().empty() ? "" : std::string(agent::to_string(watch_.tunnels().front()->state()));
  }
  std::vector<std::string> events() const {
    std::vector<std::string> names;
    if (watch_.tunnels().empty()) return names;
    const auto report = watch_.report(WallClock::of_capture_file());
    for (const auto& e : report.front().events) names.push_back(e.event);
    return names;
  }
  agent::Watch& watch() { return watch_; }

  static inline const IpAddress kLocal = *IpAddress::parse("192.0.2.10");
  static inline const IpAddress kRemote = *IpAddress::parse("198.51.100.20");

 private:
  static wire::Datagram addressed(From from, std::uint16_t port) {
    wire::Datagram d;
    d.source = from == From::local ? kLocal : kRemote;
    d.destination = from == From::local ? kRemote : kLocal;
    d.source_port = d.destination_port = port;
    d.ttl = from == From::local ? 64 : 57;
    return d;
  }
  std::vector<std::string> causes(bool active) const {
    std::vector<std::string> names;
    for (const auto& t : watch_.tunnels()) {
      for (const auto* c : t->verdict().ranked()) {
        if (c->active == active) names.emplace_back(to_string(c->cause));
      }
    }
    return names;
  }

  agent::Watch watch_;
  std::function<void(const wire::Datagram&, TimePoint, bool)> tap_;
  passive::PacketSink* sink_ = &watch_;
  std::function<void(TimePoint)> on_time_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
};

}  // namespace tunnelwatch::test
