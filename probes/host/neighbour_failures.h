#pragma once

#include "probes/host/kernel_view.h"

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace tunnelwatch::host {

// The next packet for a neighbour that failed has it asked for again, and a table read then says no more than that it
// is being resolved. The kernel tells of each failure when it happens: this keeps them until an answer came. Bounded as
// the table is. One thread.
class NeighbourFailures {
 public:
  // What the kernel told, in its order.
  void note(const std::vector<KernelNeighbour>& told);
  // Of a table: who failed and is asked for again has failed still. What is not in the table is forgotten.
  void complete(std::vector<KernelNeighbour>& table);

 private:
  using Key = std::pair<std::uint32_t, IpAddress>;  // of a link
  std::set<Key> failed_;
};

}  // namespace tunnelwatch::host
