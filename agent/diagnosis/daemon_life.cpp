#include "agent/diagnosis/daemon_life.h"

#include "agent/diagnosis/host_wording.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

// As the wire has it: see IkeEvidence.
constexpr std::size_t kReplacements = 3;
constexpr Duration kReplacementWindow = 10min;

constexpr std::string_view kReceived = "received DELETE for IKE_SA ";
constexpr std::string_view kSent = "sending DELETE for IKE_SA ";

// What the daemon still lists of an SA that is on its way out is no SA.
bool is_ending(std::string_view state) { return state == "DELETING" || state == "DESTROYING"; }

// After which a child of the peer's connections is rekeyed as it was told to.
Duration shortest_life(const host::DaemonView& view, const std::optional<IpAddress>& remote) {
  Duration shortest = Duration::max();
  for (const host::DaemonSa& sa : view.sas) {
    if (!sa.remote || sa.remote != remote) continue;
    for (const host::DaemonConnection& c : view.connections) {
      if (c.name != sa.connection) continue;
      for (const host::DaemonChild& child : c.children) {
        if (child.rekey_seconds != 0)
          shortest = std::min<Duration>(shortest, std::chrono::seconds(child.rekey_seconds));
      }
    }
  }
  return shortest;
}

}  // namespace

std::optional<DaemonDeletion> deletion_of(std::string_view line) {
  for (const std::string_view words : {kReceived, kSent}) {
    const std::size_t at = line.find(words);
    if (at == std::string_view::npos) continue;
    const std::size_t open = line.find('[', at + words.size());
    if (open == std::string_view::npos) return std::nullopt;
    const std::string_view digits = line.substr(open + 1);
    DaemonDeletion deletion;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), deletion.sa);
    if (error != std::errc{} || end == digits.data() + digits.size() || *end != ']') return std::nullopt;
    deletion.by_peer = words == kReceived;
    return deletion;
  }
  return std::nullopt;
}

void DaemonDeletions::note(const DaemonDeletion& deletion) {
  by_sa_[deletion.sa] = deletion.by_peer;
  if (by_sa_.size() > kMost) by_sa_.erase(by_sa_.begin());
}

std::optional<bool> DaemonDeletions::by_peer(std::uint32_t sa) const {
  const auto it = by_sa_.find(sa);
  return it == by_sa_.end() ? std::nullopt : std::optional(it->second);
}

void DaemonLife::on_view(Facts& facts, const std::optional<IpAddress>& remote, const host::DaemonView& view,
                         const DaemonDeletions& deletions, TimePoint now) {
  std::set<std::uint32_t> established;
  std::set<std::uint32_t> children;
  bool any = false;
  for (const host::DaemonSa& sa : view.sas) {
    if (!sa.remote || sa.remote != remote || is_ending(sa.state)) continue;
    any = true;
    if (sa.state == "ESTABLISHED") established.insert(sa.id);
    for (const host::DaemonChild& child : sa.children) {
      if (child.state == "INSTALLED") children.insert(child.id);
    }
  }
  judge_end(facts, established, any, deletions, now);
  judge_children(facts, children, shortest_life(view, remote), now);
}

void DaemonLife::judge_end(Facts& facts, const std::set<std::uint32_t>& established, bool any,
                           const DaemonDeletions& deletions, TimePoint now) {
  if (!established.empty()) {
    facts.deny(F::daemon_peer_deleted, now);
    facts.deny(F::daemon_local_deleted, now);
  } else if (!any && !established_.empty()) {
    for (const std::uint32_t sa : established_) {
      const auto by_peer = deletions.by_peer(sa);
      if (!by_peer) continue;
      facts.affirm(*by_peer ? F::daemon_peer_deleted : F::daemon_local_deleted, now, Confidence::likely,
                   describe_daemon_deletion(*by_peer));
    }
  }
  established_ = established;
}

void DaemonLife::judge_children(Facts& facts, const std::set<std::uint32_t>& children, Duration life, TimePoint now) {
  const auto is_new = [this](std::uint32_t id) { return !children_.contains(id); };
  const bool stood = !children_.empty();
  // More beside those that stand are more children, not others in their place.
  const bool one_went =
      std::any_of(children_.begin(), children_.end(), [&](auto id) { return !children.contains(id); });
  if (stood && one_went && std::any_of(children.begin(), children.end(), is_new)) replaced_.push_back(now);
  while (!replaced_.empty() && now - replaced_.front() > kReplacementWindow) replaced_.pop_front();
  const bool often = replaced_.size() >= kReplacements && replaced_.back() - *(replaced_.end() - kReplacements) < life;
  if (often) {
    facts.affirm(F::daemon_children_replaced, now, Confidence::likely, describe_replaced_children(replaced_.size()));
  } else if (!children.empty()) {
    facts.deny(F::daemon_children_replaced, now);
  }
  if (!children.empty() || established_.empty()) children_ = children;
}

void DaemonLife::forget(Facts& facts) {
  for (const F fact : {F::daemon_peer_deleted, F::daemon_local_deleted, F::daemon_children_replaced})
    facts.forget(fact);
  *this = {};
}

}  // namespace tunnelwatch::diagnosis
