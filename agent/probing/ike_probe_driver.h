#pragma once

#include "agent/probing/round_trips.h"
#include "agent/watch.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/active/ike_probe.h"
#include "probes/io/udp_socket.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::agent {

// IKE probes to the peers of all tunnels: the machine, its sockets and what was counted. One thread, that of the
// io_context.
class IkeProbeDriver {
 public:
  IkeProbeDriver(boost::asio::io_context& io, Watch& watch, std::uint64_t seed, const config::IkeProbe& settings);

  // Sentences about the sockets that cannot be had.
  std::vector<std::string> open(IpFamily family);
  void close();
  bool is_open(IpFamily family) const { return sockets_[static_cast<std::size_t>(family)][0] != nullptr; }

  // What is to be asked from now on: begin_sync(), want() for each tunnel, end_sync().
  void begin_sync(const config::IkeProbe& settings);
  void want(const Tunnel& tunnel, const std::optional<IpAddress>& source);
  void end_sync();

  void drain();
  void advance(TimePoint now);
  // Suspicion: what looks wrong is asked at once.
  void push(TimePoint now);
  std::optional<TimePoint> next_deadline() const { return machine_.next_deadline(); }

  bool is_own_spi(std::uint64_t spi) const { return machine_.is_own_spi(spi); }
  bool any_of(IpFamily family) const;
  bool sees(IpFamily family) const;
  // What came in answer and cannot be understood.
  std::uint64_t malformed() const { return before_.malformed + machine_.counters().malformed; }
  void report(exporters::Report& report) const;

 private:
  struct Port {
    std::array<std::uint64_t, kIkeProbeOutcomeCount> outcomes{};
    std::array<std::uint64_t, kRefusalReasonCount> refused{};
    RoundTrips round_trips;
    std::optional<bool> reachable;
    std::string last_answer;
  };
  struct Probed {
    std::uint32_t id = 0;
    std::optional<IpAddress> address;
    Port port_500;
    Port port_4500;
    bool wanted = true;
    std::optional<TimePoint> pushed;
  };

  void send();
  void observe();
  void on_result(const IkeProbeObservation& o);
  static exporters::IkeProbeReport report_of(const std::string& tunnel, std::uint16_t number, const Port& port);

  boost::asio::io_context& io_;
  Watch& watch_;
  std::uint64_t seed_;
  config::IkeProbe settings_;
  active::IkeProbe machine_;
  std::unique_ptr<io::UdpSocket> sockets_[2][2];  // by family, by port (500, 4500)
  active::IkeProbeActions actions_;
  std::map<std::string, Probed> probed_;  // by tunnel
  std::unordered_map<std::uint32_t, std::pair<const std::string, Probed>*> by_id_;
  std::uint32_t next_id_ = 1;
  active::IkeProbeCounters before_;  // of machines before a reload
};

}  // namespace tunnelwatch::agent
