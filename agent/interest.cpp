#include "agent/interest.h"

namespace tunnelwatch::agent {

passive::TrafficInterest traffic_interest(const Watch& watch, std::vector<IpAddress> own_addresses,
                                          std::uint16_t own_echo_id) {
  passive::TrafficInterest interest;
  interest.own_addresses = std::move(own_addresses);
  interest.own_echo_id = own_echo_id;
  for (const auto& tunnel : watch.tunnels()) {
    if (!tunnel->configured()) continue;
    const auto& s = tunnel->settings();
    interest.tunnels.push_back({.tunnel = s.name,
                                .local = s.local,
                                .remote = tunnel->remote(),
                                .local_subnets = s.local_subnets,
                                .remote_subnets = s.remote_subnets,
                                .local_address = s.local_tunnel_address,
                                .remote_address = s.remote_tunnel_address});
  }
  return interest;
}

}  // namespace tunnelwatch::agent
