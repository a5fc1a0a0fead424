#pragma once

#include "probes/passive/traffic_interest.h"
#include "probes/passive/traffic_observation.h"

#include <cstddef>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::passive {

// Whether the outer packets of each tunnel of the interest leave and arrive on this interface. Where several tunnels
// share a peer, this end's address tells them apart; else a packet from any address is the tunnel's, for the wrong exit
// may give it another one.
class OuterPaths {
 public:
  void set_interest(const TrafficInterest& interest);
  // IKE or ESP went from source to destination.
  void on_packet(const IpAddress& source, const IpAddress& destination, TimePoint at);
  // The tunnels of which packets were seen since the last call.
  void collect(std::vector<OuterPathSummary>& out);

 private:
  struct Entry {
    std::optional<IpAddress> local;  // of several tunnels to one peer
    OuterPathSummary seen;
    bool changed = false;
  };

  std::vector<Entry> entries_;
  std::unordered_map<IpAddress, std::vector<std::size_t>, IpAddressHash> by_peer_;
};

}  // namespace tunnelwatch::passive
