#pragma once

#include "exporters/report.h"
#include "probes/host/kernel_view.h"
#include "probes/time.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace tunnelwatch::agent {

class Watch;

// By which interface and next hop packets for each configured tunnel's peer leave, as the kernel answers: each change
// is an event of the tunnel's.
class WayChanges {
 public:
  static constexpr std::size_t kMaxEvents = 16;  // of one tunnel, the newest

  // Drops what is of tunnels that are configured no more.
  void keep(const Watch& watch);
  // No way at all is one, too.
  void note(const std::string& tunnel, const host::KernelRoute& way, const host::KernelView& view, TimePoint now);
  // Adds to what the report has of the tunnels.
  void report(exporters::Report& report, const WallClock& clock) const;

 private:
  struct Event {
    TimePoint at{};
    std::string detail;
  };
  struct Way {
    std::string text;  // empty: not known yet
    std::uint64_t changes = 0;
    std::deque<Event> events;
  };
  std::map<std::string, Way> ways_;
};

}  // namespace tunnelwatch::agent
