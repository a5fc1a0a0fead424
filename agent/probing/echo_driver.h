#pragma once

#include "agent/probing/echo_target.h"
#include "exporters/report.h"
#include "probes/active/icmp_echo.h"
#include "probes/io/icmp_socket.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// ICMP echo to all targets: the machine, its two sockets and what was counted. One thread.
class EchoDriver {
 public:
  using Targets = std::map<TargetKey, EchoTarget>;

  explicit EchoDriver(std::uint64_t seed) : echo_(seed) {}

  // A sentence where the socket cannot be had.
  std::optional<std::string> open(IpFamily family);
  void close();

  // What is to be asked from now on: begin_sync(), want() for each target, end_sync(). Whatever is wanted as before
  // goes on undisturbed; what is wanted otherwise keeps its counters; what is not wanted any more goes.
  // Other `buckets` than before begin all histograms anew.
  void begin_sync(const std::vector<std::chrono::microseconds>& buckets);
  // `window`: how far back the diagnosis looks; 0: it does not.
  void want(const TargetKey& key, const EchoWish& wish, std::chrono::seconds window);
  void end_sync();

  // Reads what waits, for nothing does so by itself: several times a second, and before advance(), as a reply in a
  // socket's buffer must not be told as lost.
  void drain();
  // Sends what is due.
  void advance(TimePoint now);
  std::optional<TimePoint> next_deadline() const { return echo_.next_deadline(); }

  std::uint16_t id() const { return echo_.id(); }
  const Targets& targets() const { return targets_; }
  Targets& targets() { return targets_; }
  bool any_of(IpFamily family) const;
  // Whether some target asks for a mark that this process may not set.
  bool lacks_mark() const;
  bool sees(IpFamily family) const { return sockets_[static_cast<std::size_t>(family)] != nullptr; }
  void report(exporters::Report& report, const WallClock& clock) const;

 private:
  std::uint32_t new_id(EchoTarget& target);
  void ask(EchoTarget& target);
  void send();
  void send_family(IpFamily family, TimePoint now, active::EchoActions& errors);
  void observe();

  active::IcmpEcho echo_;
  std::unique_ptr<io::IcmpSocket> sockets_[2];  // by family
  bool asked_[2] = {};                          // whether there is a target of it
  active::EchoActions actions_;
  std::vector<io::SentIcmp> sent_;
  Targets targets_;
  std::vector<EchoTarget*> by_id_;  // none: the id is free
  std::vector<std::uint32_t> free_ids_;
  std::set<std::vector<double>> all_bounds_;  // that ever were in use: reports point at them
  const std::vector<double>* bounds_ = nullptr;
};

}  // namespace tunnelwatch::agent
