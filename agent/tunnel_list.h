#pragma once

#include "agent/tunnel.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

namespace tunnelwatch::agent {

// The tunnels, and the ways to find one that every packet takes: by peer and by name, whatever their number. Configured
// ones come first, in the order of the configuration. Pointers stay good until their tunnel is removed.
class TunnelList {
 public:
  const std::vector<std::unique_ptr<Tunnel>>& all() const { return tunnels_; }
  std::size_t configured() const { return configured_; }
  std::size_t discovered() const { return tunnels_.size() - configured_; }

  // Behind the others. A configured tunnel is added while there is none that was discovered.
  Tunnel& add(std::unique_ptr<Tunnel> tunnel);
  void remove(const Tunnel& tunnel);
  // The one between these ends that no configuration names, if there is one.
  void remove_discovered(const passive::PeerKey& key);
  // Takes all tunnels out, to be sorted and added anew.
  std::vector<std::unique_ptr<Tunnel>> take();
  // A name of the configuration has another address now.
  void set_remote(Tunnel& tunnel, const std::optional<IpAddress>& address);

  Tunnel* find(std::string_view name) const;
  // Whether there is a tunnel between the two, either way round; one without a peer is wherever its remote is.
  bool any_between(const IpAddress& a, const IpAddress& b) const;
  // Calls `visit` with each tunnel between these ends; a tunnel without a peer is bound to it. Their number.
  template <typename Visit>
  std::size_t visit(const passive::PeerKey& key, Visit&& visit) {
    std::size_t found = 0;
    for (Tunnel* entry : to(key.remote)) {
      Tunnel& tunnel = *entry;
      if (!tunnel.matches(key)) continue;
      if (!tunnel.peer()) tunnel.bind(key);
      if (*tunnel.peer() != key) continue;
      visit(tunnel);
      ++found;
    }
    return found;
  }

  // Calls `visit` with each tunnel to this address, whatever its other end.
  template <typename Visit>
  void visit_remote(const IpAddress& remote, Visit&& visit) {
    for (Tunnel* tunnel : to(remote)) visit(*tunnel);
  }
  // A packet to or from this address is being read.
  void expect_packet(const IpAddress& remote) const {
    const auto sharing = to(remote);
    if (!sharing.empty()) sharing.front()->expect_packet();
  }
  // Calls `visit` with each tunnel that something was told since the last call, or whose state is another.
  template <typename Visit>
  void visit_changed(Visit&& visit) {
    visited_.swap(changed_);
    for (Tunnel* tunnel : visited_) {
      visit(*tunnel);
      list_if_waiting(*tunnel);
    }
    visited_.clear();
  }
  bool any_changed() const { return !changed_.empty(); }
  // Time passes for the tunnels that it makes a difference to.
  void advance(TimePoint now);

 private:
  using Sharing = boost::container::small_vector<Tunnel*, 1>;  // one remote address: mostly one tunnel

  std::span<Tunnel* const> to(const IpAddress& remote) const {
    const auto found = by_remote_.find(remote);
    return found == by_remote_.end() ? std::span<Tunnel* const>{} : std::span<Tunnel* const>(found->second);
  }
  void index(Tunnel& tunnel);
  void unindex(const Tunnel& tunnel);
  void list_if_waiting(Tunnel& tunnel);

  std::vector<std::unique_ptr<Tunnel>> tunnels_;
  std::size_t configured_ = 0;
  boost::unordered_flat_map<IpAddress, Sharing, IpAddressHash> by_remote_;
  std::unordered_map<std::string, Tunnel*> by_name_;
  std::vector<Tunnel*> changed_;
  std::vector<Tunnel*> visited_;  // keeps its memory from call to call
  std::vector<Tunnel*> waiting_;
};

}  // namespace tunnelwatch::agent
