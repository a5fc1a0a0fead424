#pragma once

#include "agent/watch.h"
#include "probes/passive/traffic_interest.h"

#include <cstdint>
#include <vector>

namespace tunnelwatch::agent {

// What the captures should look for beside IKE and ESP: of every configured tunnel, in its order.
passive::TrafficInterest traffic_interest(const Watch& watch, std::vector<IpAddress> own_addresses,
                                          std::uint16_t own_echo_id);

}  // namespace tunnelwatch::agent
