#include "agent/probing/echo_driver.h"

#include "probes/clock.h"

#include <algorithm>
#include <utility>

namespace tunnelwatch::agent {

namespace {

constexpr std::size_t index(IpFamily family) { return static_cast<std::size_t>(family); }

}  // namespace

std::string_view to_string(TargetRole role) {
  switch (role) {
    case TargetRole::gateway:
      return "gateway";
    case TargetRole::reference:
      return "reference";
    case TargetRole::inner:
      return "inner";
    case TargetRole::target:
      return "target";
  }
  return "reference";
}

std::optional<std::string> EchoDriver::open(IpFamily family) {
  auto socket = io::IcmpSocket::open(family, echo_.id(), [this](const io::ReceivedIcmp& r) {
    echo_.on_message(r.bytes, r.from, r.ttl, r.received_at, actions_);
    observe();
  });
  if (!socket) return socket.error().sentence;
  sockets_[index(family)] = std::move(*socket);
  return std::nullopt;
}

void EchoDriver::close() {
  for (auto& s : sockets_) s.reset();
}

void EchoDriver::begin_sync(const std::vector<std::chrono::microseconds>& buckets) {
  std::vector<double> bounds;
  for (const auto bucket : buckets) bounds.push_back(static_cast<double>(bucket.count()) / 1e6);
  const auto* before = std::exchange(bounds_, &*all_bounds_.insert(std::move(bounds)).first);
  if (before != bounds_) {
    for (auto& [key, t] : targets_) t.statistics.set_bounds(*bounds_);
  }
  for (auto& [key, t] : targets_) t.wanted = false;
}

void EchoDriver::want(const TargetKey& key, const EchoWish& wish, std::chrono::seconds window) {
  const auto [it, is_new] = targets_.try_emplace(key);
  EchoTarget& t = it->second;
  t.wanted = true;
  if (is_new) {
    t.id = new_id(t);
    t.statistics = active::EchoStatistics(window, *bounds_);
  }
  if (!is_new && wish == t.wish) return;
  const bool same_question = !is_new && wish.address == t.wish.address && wish.params == t.wish.params;
  t.wish = wish;
  if (!same_question) ask(t);
}

// Used again, so that they stay small. What still comes for the one before has a sequence that the next never had.
std::uint32_t EchoDriver::new_id(EchoTarget& target) {
  if (free_ids_.empty()) {
    by_id_.push_back(&target);
    return static_cast<std::uint32_t>(by_id_.size() - 1);
  }
  const std::uint32_t id = free_ids_.back();
  free_ids_.pop_back();
  by_id_[id] = &target;
  return id;
}

void EchoDriver::ask(EchoTarget& target) {
  target.statistics.on_restart();
  if (target.wish.address) {
    echo_.add_target(target.id, *target.wish.address, target.wish.params, steady_now());
  } else {
    echo_.remove_target(target.id);
  }
}

void EchoDriver::end_sync() {
  for (auto it = targets_.begin(); it != targets_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    echo_.remove_target(it->second.id);
    by_id_[it->second.id] = nullptr;
    free_ids_.push_back(it->second.id);
    it = targets_.erase(it);
  }
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) asked_[index(family)] = any_of(family);
}

void EchoDriver::drain() {
  // All of it, however much came while we were held up: what stays behind would be told as lost. Bounded, for a flood.
  constexpr int kMostRounds = 64;
  for (std::size_t family = 0; family < std::size(sockets_); ++family) {
    if (!asked_[family]) continue;
    for (int round = 0; sockets_[family] && round < kMostRounds && sockets_[family]->drain();) ++round;
  }
}

void EchoDriver::advance(TimePoint now) {
  echo_.advance(now, actions_);
  send();
  observe();
}

void EchoDriver::send() {
  if (actions_.packets.empty()) return;
  for (const auto& packet : actions_.packets) by_id_[packet.target]->statistics.on_request();
  const auto now = steady_now();
  active::EchoActions errors;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) send_family(family, now, errors);
  actions_.packets.clear();
  actions_.bytes.clear();
  actions_.observations.insert(actions_.observations.end(), errors.observations.begin(), errors.observations.end());
}

void EchoDriver::send_family(IpFamily family, TimePoint now, active::EchoActions& errors) {
  auto& socket = sockets_[index(family)];
  if (!socket) {
    for (const auto& p : actions_.packets) {
      if (p.to.family() == family) echo_.on_send_error(p.target, p.sequence, RefusalReason::not_permitted, now, errors);
    }
    return;
  }
  sent_.clear();
  socket->send(actions_, sent_);
  for (const auto& s : sent_) {
    if (s.error == RefusalReason::none) {
      echo_.on_sent(s.target, s.sequence, s.at);
    } else {
      echo_.on_send_error(s.target, s.sequence, s.error, now, errors);
    }
  }
}

void EchoDriver::observe() {
  for (const auto& o : actions_.observations) {
    EchoTarget* target = by_id_[o.target];
    if (target == nullptr) continue;
    target->statistics.on_observation(o);
    if (o.outcome != EchoOutcome::duplicate) target->changed = true;
  }
  actions_.observations.clear();
}

bool EchoDriver::lacks_mark() const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const auto& t) {
    const EchoWish& wish = t.second.wish;
    if (wish.params.fwmark == 0 || !wish.address) return false;
    const auto& socket = sockets_[index(wish.address->family())];
    return socket && !socket->can_mark();
  });
}

bool EchoDriver::any_of(IpFamily family) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const auto& t) {
    const auto& address = t.second.wish.address;
    return address && address->family() == family;
  });
}

}  // namespace tunnelwatch::agent
