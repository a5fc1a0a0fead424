#include "agent/diagnosis/xfrm_index.h"

namespace tunnelwatch::diagnosis {

using host::XfrmDirection;
using host::XfrmPolicy;
using host::XfrmPorts;
using host::XfrmSelector;
using host::XfrmState;

namespace {

template <typename T>
bool agree(T a, T b) {
  return a == 0 || b == 0 || a == b;
}

bool agree(const XfrmPorts& a, const XfrmPorts& b) {
  const auto common = static_cast<std::uint16_t>(a.mask & b.mask);
  return (a.port & common) == (b.port & common);
}

bool covers(const XfrmPorts& outer, const XfrmPorts& inner) { return outer.mask == 0 || outer == inner; }

}  // namespace

std::optional<IpAddress> peer_of(const XfrmPolicy& policy) {
  for (const auto& t : policy.templates) {
    if (t.destination) return t.destination;
  }
  const IpPrefix& to = policy.selector.destination;
  if (policy.templates.empty() || to.length != 8 * to.address.bytes().size()) return std::nullopt;
  return to.address;
}

bool overlap(const XfrmSelector& a, const XfrmSelector& b) {
  return a.source.overlaps(b.source) && a.destination.overlaps(b.destination) && agree(a.protocol, b.protocol) &&
         agree(a.link, b.link) && agree(a.source_port, b.source_port) && agree(a.destination_port, b.destination_port);
}

bool contains(const XfrmSelector& outer, const XfrmSelector& inner) {
  return outer.source.contains(inner.source) && outer.destination.contains(inner.destination) &&
         (outer.protocol == 0 || outer.protocol == inner.protocol) && (outer.link == 0 || outer.link == inner.link) &&
         covers(outer.source_port, inner.source_port) && covers(outer.destination_port, inner.destination_port);
}

XfrmIndex::XfrmIndex(const host::XfrmView& view) : complete_(view.complete) {
  for (const XfrmPolicy& policy : view.policies) {
    if (policy.direction != XfrmDirection::out || policy.blocks) continue;
    if (policy.templates.empty()) {
      bypasses_.push_back(&policy);
      continue;
    }
    protecting_.push_back(&policy);
    if (const auto address = peer_of(policy)) peers_[*address].policies.push_back(&policy);
  }
  for (const XfrmState& state : view.states) {
    if (state.is_larval()) continue;
    spis_.emplace(state.destination, state.spi);
    peers_[state.source].states.push_back(&state);
    peers_[state.destination].states.push_back(&state);
  }
}

const XfrmIndex::Peer* XfrmIndex::peer(const IpAddress& address) const {
  const auto it = peers_.find(address);
  return it == peers_.end() ? nullptr : &it->second;
}

}  // namespace tunnelwatch::diagnosis
