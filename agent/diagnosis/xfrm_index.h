#pragma once

#include "probes/host/xfrm_view.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace tunnelwatch::diagnosis {

// The kernel's IPsec state by the peer that it is about, made once for each view, which outlives it.
class XfrmIndex {
 public:
  struct Peer {
    std::vector<const host::XfrmPolicy*> policies;  // outbound, that protect
    std::vector<const host::XfrmState*> states;     // of both directions, larval ones not
  };

  explicit XfrmIndex(const host::XfrmView& view);

  // Null: neither a policy nor a state of the kernel's is about this address. Another kernel interface may be.
  const Peer* peer(const IpAddress& address) const;
  // Outbound: those that protect, and those that let pass.
  const std::vector<const host::XfrmPolicy*>& protecting() const { return protecting_; }
  const std::vector<const host::XfrmPolicy*>& bypasses() const { return bypasses_; }
  bool has_state(const IpAddress& destination, std::uint32_t spi) const { return spis_.contains({destination, spi}); }
  bool complete() const { return complete_; }

 private:
  std::map<IpAddress, Peer> peers_;
  std::vector<const host::XfrmPolicy*> protecting_;
  std::vector<const host::XfrmPolicy*> bypasses_;
  std::set<std::pair<IpAddress, std::uint32_t>> spis_;
  bool complete_;
};

// Whom a policy sends what it protects to: the outer address, or where it protects between two hosts itself the other.
std::optional<IpAddress> peer_of(const host::XfrmPolicy& policy);

// Whether some packet is of both selectors; whether every packet of `inner` is of `outer`.
bool overlap(const host::XfrmSelector& a, const host::XfrmSelector& b);
bool contains(const host::XfrmSelector& outer, const host::XfrmSelector& inner);

}  // namespace tunnelwatch::diagnosis
