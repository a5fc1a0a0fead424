#pragma once

#include "config/ip_address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::passive {

// What to look for of one configured tunnel beside its IKE and ESP.
struct TunnelInterest {
  std::string tunnel = {};               // its name, which comes back in what is told
  std::optional<IpAddress> local = {};   // this end's outer address, where it is configured
  std::optional<IpAddress> remote = {};  // the peer's
  std::vector<IpPrefix> local_subnets = {};
  std::vector<IpPrefix> remote_subnets = {};
  std::optional<IpAddress> local_address = {};  // inside the tunnel: of this end's interface
  std::optional<IpAddress> remote_address = {};
  bool operator==(const TunnelInterest&) const = default;
};

// Made from the configuration, handed to every capture, read only. Without tunnels nothing is looked for.
struct TrafficInterest {
  std::vector<TunnelInterest> tunnels;
  std::vector<IpAddress> own_addresses;      // of this machine
  std::optional<std::uint16_t> own_echo_id;  // ICMP id of the agent's own echo requests
  bool operator==(const TrafficInterest&) const = default;
};

}  // namespace tunnelwatch::passive
