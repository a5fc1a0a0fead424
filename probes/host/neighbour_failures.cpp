#include "probes/host/neighbour_failures.h"

namespace tunnelwatch::host {

void NeighbourFailures::note(const std::vector<KernelNeighbour>& told) {
  for (const KernelNeighbour& n : told) {
    const Key key{n.link, n.address};
    if (n.state == NeighbourState::resolved) {
      failed_.erase(key);
    } else if (n.state == NeighbourState::failed && failed_.size() < KernelView::kMaxNeighbours) {
      failed_.insert(key);
    }
  }
}

void NeighbourFailures::complete(std::vector<KernelNeighbour>& table) {
  std::set<Key> failed;
  for (KernelNeighbour& n : table) {
    const Key key{n.link, n.address};
    if (n.state == NeighbourState::resolving && failed_.contains(key)) n.state = NeighbourState::failed;
    if (n.state == NeighbourState::failed) failed.insert(key);
  }
  failed_ = std::move(failed);
}

}  // namespace tunnelwatch::host
