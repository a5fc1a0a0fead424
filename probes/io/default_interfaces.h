#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::io {

// The interfaces of a default route in the texts of /proc/net/route and /proc/net/ipv6_route, each once, in the order
// of the tables. Reject routes and those of the loopback are no way out.
std::vector<std::string> default_route_interfaces(std::string_view ipv4_routes, std::string_view ipv6_routes);

// The same for this machine, now. Reads /proc/self/net, which a unit with ProcSubset=pid still has.
std::vector<std::string> default_interfaces();

}  // namespace tunnelwatch::io
