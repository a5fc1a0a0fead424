#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/conntrack.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tunnelwatch::diagnosis {

// The connections of one reading that were begun from a tunnel's local subnets towards its remote ones and leave with a
// source that is in no local subnet: IPsec does not take them then, or the peer does not know them. For many tunnels;
// memory is bounded by them. Pure.
class TranslatedFlows {
 public:
  struct Seen {
    std::uint64_t count = 0;
    host::TrackedFlow first;
  };

  // A tunnel without subnets on either side is left out: nobody knows which packets are its own.
  void add_tunnel(const config::Tunnel& tunnel);
  bool any_tunnel() const { return !tunnels_.empty(); }
  void take(const host::TrackedFlow& flow);

  // What was taken says whether packets of this tunnel are translated; nothing of one that was not added.
  void judge(Facts& facts, const std::string& tunnel, TimePoint now) const;

 private:
  struct Subnets {
    std::vector<IpPrefix> local;
    Seen seen;
  };

  std::map<std::string, Subnets> tunnels_;               // by name
  std::multimap<IpPrefix, Subnets*> by_remote_;          // by remote subnet
  std::set<std::pair<IpFamily, std::uint8_t>> lengths_;  // of remote subnets
};

// Connections cannot be asked for any more.
void forget_flows(Facts& facts);

}  // namespace tunnelwatch::diagnosis
