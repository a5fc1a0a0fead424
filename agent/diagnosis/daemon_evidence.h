#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/daemon_view.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tunnelwatch::diagnosis {

// What the IKE daemon of this machine is told to do, against what the configuration says of the tunnel, and what became
// of it. A daemon that knows no connection to this peer, or knows selectors that are no subnets, leaves it unknown.
void judge_daemon(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const host::DaemonView& view, TimePoint now);

// The connections of the daemon that lead to the tunnel's peer: by its name, an address or an SA of it.
std::vector<std::string_view> connections_of(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                                             const host::DaemonView& view);

// It has counted `more` messages of IKE SAs that it does not know since it was asked last: of whose peer, it does not
// say.
void judge_unknown_spis(Facts& facts, std::uint64_t more, TimePoint now);

// The daemon cannot be asked any more.
void forget_daemon(Facts& facts);

// Whether every address of `subnet` lies in one of `parts`.
bool covered(const IpPrefix& subnet, const std::vector<IpPrefix>& parts);

}  // namespace tunnelwatch::diagnosis
