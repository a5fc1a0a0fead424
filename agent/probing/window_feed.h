#pragma once

#include "agent/probing/echo_driver.h"
#include "agent/watch.h"

#include <utility>
#include <vector>

namespace tunnelwatch::agent {

// Hands the windows of the echo targets to the tunnels that they tell something of.
class WindowFeed {
 public:
  // Windows with news, and now and then all of them: loss leaves a window by age.
  void feed(EchoDriver& echo, const Watch& watch, TimePoint now);

 private:
  using References = std::vector<std::pair<const TargetKey*, active::EchoWindow>>;
  static References references(EchoDriver::Targets& targets, bool all, TimePoint now);
  static void feed_gateway(EchoDriver::Targets& targets, Tunnel& tunnel, bool all, TimePoint now);
  static void feed_inner(EchoDriver::Targets& targets, Tunnel& tunnel, bool all, TimePoint now);

  TimePoint next_full_feed_{};
};

}  // namespace tunnelwatch::agent
