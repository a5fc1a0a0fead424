#pragma once

#include "agent/path_probe.h"
#include "agent/watch.h"
#include "config/settings.h"
#include "exporters/report.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tunnelwatch::agent {

// Looks at the way to each tunnel's peer: its MTU every interval, and hop by hop when UDP 500, UDP 4500 or ESP is told
// as blocked; what a trace finds stands in the evidence of that cause. One peer at a time, and a tunnel is traced no
// more often than every kTraceEvery. On the thread of its io_context.
class PathWatch {
 public:
  static constexpr std::chrono::minutes kTraceEvery{5};
  static constexpr std::chrono::seconds kFirst{30};  // nothing is measured before: a start has other work

  PathWatch(boost::asio::io_context& io, Watch& watch, std::uint64_t seed);
  ~PathWatch();
  PathWatch(const PathWatch&) = delete;
  PathWatch& operator=(const PathWatch&) = delete;

  void sync(const config::PathProbe& settings, TimePoint now);
  void tick(TimePoint now);
  void stop();
  bool is_own_spi(std::uint64_t spi) const { return running_ && running_->trace().is_own_spi(spi); }
  // The MTU of the way to each tunnel's peer, into the tunnels that `report` has.
  void report(exporters::Report& report) const;

 private:
  struct Path {
    std::optional<TimePoint> traced;
    std::optional<TimePoint> measured;
    std::optional<exporters::PathMtuReport> mtu;
    bool told = false;  // facts of a trace stand in the tunnel's evidence
  };
  struct Choice {
    const Tunnel* tunnel = nullptr;
    bool trace = false;
  };
  void forget_gone();
  void forget_told();
  Choice choose(TimePoint now);
  void begin(const Tunnel& tunnel, bool trace, TimePoint now);
  void finish(const std::string& name, bool traced);

  boost::asio::io_context& io_;
  Watch& watch_;
  std::uint64_t seed_;
  config::PathProbe settings_;
  std::optional<TimePoint> started_;
  TimePoint next_look_{};
  std::map<std::string, Path> paths_;
  std::unique_ptr<PathProbe> running_;
  bool complained_ = false;
};

}  // namespace tunnelwatch::agent
