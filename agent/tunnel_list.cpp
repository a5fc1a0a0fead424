#include "agent/tunnel_list.h"

#include <algorithm>

namespace tunnelwatch::agent {

Tunnel& TunnelList::add(std::unique_ptr<Tunnel> tunnel) {
  tunnels_.push_back(std::move(tunnel));
  Tunnel& added = *tunnels_.back();
  if (added.configured()) ++configured_;
  by_name_.emplace(added.name(), &added);
  index(added);
  added.tell_changes_to(&changed_);
  list_if_waiting(added);
  return added;
}

void TunnelList::remove(const Tunnel& tunnel) {
  const auto it = std::find_if(tunnels_.begin(), tunnels_.end(), [&](const auto& t) { return t.get() == &tunnel; });
  if (it == tunnels_.end()) return;
  if (tunnel.configured()) --configured_;
  unindex(tunnel);
  if (const auto named = by_name_.find(tunnel.name()); named != by_name_.end() && named->second == &tunnel) {
    by_name_.erase(named);
  }
  std::erase(changed_, &tunnel);
  std::erase(waiting_, &tunnel);
  tunnels_.erase(it);
}

void TunnelList::remove_discovered(const passive::PeerKey& key) {
  const auto candidates = to(key.remote);
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const Tunnel* t) { return !t->configured() && t->peer() == key; });
  if (found != candidates.end()) remove(**found);
}

std::vector<std::unique_ptr<Tunnel>> TunnelList::take() {
  for (const auto& tunnel : tunnels_) {
    tunnel->tell_changes_to(nullptr);
    tunnel->listed = false;
  }
  by_remote_.clear();
  by_name_.clear();
  changed_.clear();
  waiting_.clear();
  configured_ = 0;
  return std::exchange(tunnels_, {});
}

void TunnelList::set_remote(Tunnel& tunnel, const std::optional<IpAddress>& address) {
  unindex(tunnel);
  tunnel.set_remote(address);
  index(tunnel);
}

bool TunnelList::any_between(const IpAddress& a, const IpAddress& b) const {
  const auto any = [this](const IpAddress& remote, const IpAddress& local) {
    const auto candidates = to(remote);
    return std::any_of(candidates.begin(), candidates.end(), [&](const Tunnel* t) {
      return !t->peer() || *t->peer() == passive::PeerKey{local, remote};
    });
  };
  return any(a, b) || any(b, a);
}

Tunnel* TunnelList::find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : it->second;
}

void TunnelList::advance(TimePoint now) {
  std::erase_if(waiting_, [&](Tunnel* tunnel) {
    tunnel->listed = tunnel->waits();
    if (tunnel->listed) {
      tunnel->evidence().advance(now);
      tunnel->traffic().advance(now);
    }
    return !tunnel->listed;
  });
}

void TunnelList::list_if_waiting(Tunnel& tunnel) {
  if (tunnel.listed || !tunnel.waits()) return;
  tunnel.listed = true;
  waiting_.push_back(&tunnel);
}

void TunnelList::index(Tunnel& tunnel) {
  if (tunnel.remote()) by_remote_[*tunnel.remote()].push_back(&tunnel);
}

void TunnelList::unindex(const Tunnel& tunnel) {
  if (!tunnel.remote()) return;
  const auto found = by_remote_.find(*tunnel.remote());
  if (found == by_remote_.end()) return;
  Sharing& sharing = found->second;
  sharing.erase(std::remove(sharing.begin(), sharing.end(), &tunnel), sharing.end());
  if (sharing.empty()) by_remote_.erase(found);
}

}  // namespace tunnelwatch::agent
