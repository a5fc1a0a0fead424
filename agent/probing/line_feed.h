#pragma once

#include "agent/watch.h"

namespace tunnelwatch::agent {

// Tells the tunnels whose line has a known bandwidth what that line carries, once a second.
class LineFeed {
 public:
  void feed(const Watch& watch, TimePoint now);

 private:
  TimePoint next_{};
};

}  // namespace tunnelwatch::agent
