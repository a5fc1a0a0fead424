#pragma once

#include "agent/probing/round_trips.h"
#include "agent/watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/active/esp_probe.h"
#include "probes/io/esp_socket.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::agent {

// Packets of protocol 50 to the peers of all tunnels: the machine, its sockets and what was counted; and the verdict of
// each tunnel, told anew every second. A peer whose tunnel carries traffic, or ESP in UDP, is not asked: nothing that
// it could answer would add to what is known. Sockets are open only while answers may come, for each costs the gateway
// a copy of every ESP packet that it receives. One thread, that of the io_context.
class EspProbeDriver {
 public:
  EspProbeDriver(boost::asio::io_context& io, Watch& watch, std::uint64_t seed, const config::EspProbe& settings);

  // Whether a socket of this family can be had; a sentence where not.
  std::optional<std::string> open(IpFamily family);
  void close();
  bool is_open(IpFamily family) const { return can_open_[static_cast<std::size_t>(family)].has_value(); }

  // What is to be asked from now on: begin_sync(), want() for each tunnel, end_sync().
  void begin_sync(const config::EspProbe& settings);
  void want(const Tunnel& tunnel, const std::optional<IpAddress>& source);
  void end_sync();

  void drain();
  void advance(TimePoint now);
  // Verdicts, and suspicion: what looks wrong is asked at once.
  void push(TimePoint now);
  std::optional<TimePoint> next_deadline() const { return machine_.next_deadline(); }

  bool any_of(IpFamily family) const;
  bool sees(IpFamily family) const { return can_open_[static_cast<std::size_t>(family)].value_or(false); }
  // What came in answer and cannot be understood.
  std::uint64_t malformed() const { return before_.malformed + machine_.counters().malformed; }
  void report(exporters::Report& report) const;

 private:
  struct Probed {
    std::uint32_t id = 0;
    std::optional<IpAddress> address;
    std::optional<IpAddress> source;
    std::array<std::uint64_t, kEspProbeOutcomeCount> outcomes{};
    std::array<std::uint64_t, kRefusalReasonCount> refused{};
    RoundTrips round_trips;
    bool wanted = true;
  };

  io::EspSocket* socket_of(IpFamily family);
  bool is_needed(const active::EspProbePacket& packet, TimePoint now) const;
  void send(TimePoint now);
  void observe();
  void on_result(const EspProbeObservation& o);

  boost::asio::io_context& io_;
  Watch& watch_;
  std::uint64_t seed_;
  config::EspProbe settings_;
  active::EspProbe machine_;
  std::unique_ptr<io::EspSocket> sockets_[2];  // by family
  std::array<std::optional<bool>, 2> can_open_;
  active::EspProbeActions actions_;
  std::map<std::string, Probed> probed_;  // by tunnel
  std::unordered_map<std::uint32_t, std::pair<const std::string, Probed>*> by_id_;
  std::uint32_t next_id_ = 1;
  active::EspProbeCounters before_;  // of machines before a reload
  TimePoint last_sent_{};
  TimePoint next_push_{};
};

}  // namespace tunnelwatch::agent
