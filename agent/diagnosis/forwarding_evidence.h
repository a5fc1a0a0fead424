#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/ip_counters.h"
#include "probes/host/kernel_view.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::diagnosis {

// What this machine counts of packets that it did not let through.
struct ForwardingCounters {
  std::optional<host::IpCounters> ip;
  std::optional<std::uint64_t> connection_drops;  // by the tracking of connections; nothing: it tracks none
};

// ... and between two looks at it.
struct ForwardingLook {
  bool forwards = true;
  std::uint64_t refused = 0;
  std::uint64_t reverse_path = 0;
  std::uint64_t connection_drops = 0;
};
// Nothing where one is missing, or the counts began anew.
std::optional<ForwardingLook> look_between(const ForwardingCounters& before, const ForwardingCounters& now);

// Whether packets of hosts that `tunnel` protects are refused for lack of forwarding: a subnet of its own lies behind
// an interface of this machine. Whether the filter of reverse paths, or a table of connections that is full, drops what
// arrives, whosever it is.
void judge_forwarding(Facts& facts, const config::Tunnel& tunnel, const host::KernelView& view,
                      const std::optional<ForwardingLook>& look, TimePoint now);

void forget_forwarding(Facts& facts);

}  // namespace tunnelwatch::diagnosis
