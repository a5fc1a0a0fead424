#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/daemon_view.h"

#include <optional>

namespace tunnelwatch::diagnosis {

// What the IKE daemon of this machine is told to do, against what the configuration says of the tunnel, and what became
// of it. A daemon that knows no connection to this peer, or knows selectors that are no subnets, leaves it unknown.
void judge_daemon(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const host::DaemonView& view, TimePoint now);

// The daemon cannot be asked any more.
void forget_daemon(Facts& facts);

// Whether every address of `subnet` lies in one of `parts`.
bool covered(const IpPrefix& subnet, const std::vector<IpPrefix>& parts);

}  // namespace tunnelwatch::diagnosis
