#pragma once

#include "config/echo_plan.h"
#include "config/settings.h"
#include "probes/active/icmp_echo.h"

#include <optional>
#include <vector>

namespace tunnelwatch::agent {

// A plan as the machine wants it. Without an address nothing is sent, so that what depends on the family waits.
active::EchoParams params_of(const config::EchoPlan& plan, const std::optional<IpAddress>& address,
                             std::uint32_t interface_index = 0);

// The address that probes of a tunnel leave from: the one that is configured, or that of the configured interface.
std::optional<IpAddress> probe_source(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote);

// The address that pings through a tunnel leave from: one of this machine's in the subnets that the tunnel carries, for
// a policy would leave any other outside. Nothing: the route's.
std::optional<IpAddress> inner_source(const config::Tunnel& tunnel, IpFamily family,
                                      const std::vector<IpAddress>& own_addresses);

}  // namespace tunnelwatch::agent
