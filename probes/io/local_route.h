#pragma once

#include "config/ip_address.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tunnelwatch::io {

// How packets to an address leave this machine.
struct LocalRoute {
  IpAddress source;       // what the kernel would choose, or what was asked for
  std::string interface;  // that holds it; empty: not known
  std::uint16_t mtu = 0;  // of that interface; 0: not known
};

// Asks the kernel without sending anything. `source`, of the same family, is taken as it is; nothing where there is no
// route, or no such address here.
std::optional<LocalRoute> route_to(const IpAddress& target, const std::optional<IpAddress>& source);

}  // namespace tunnelwatch::io
