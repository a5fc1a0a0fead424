#include "agent/diagnosis/inner_evidence.h"

#include "agent/diagnosis/traffic_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

// A host that answered before is silent after so many losses and so long; on a path that loses, chance needs more.
constexpr std::uint32_t kLosses = 3;
constexpr std::uint32_t kLossesWhereOthersLose = 10;
constexpr Duration kSilence = 2400ms;
// One that never answered, and a tunnel in which no host answers at all.
constexpr std::uint32_t kLossesOfUnknown = 10;
constexpr Duration kSilenceOfUnknown = 30s;
constexpr Duration kSilenceOfAll = 5s;
constexpr Duration kInboundBeyond = 3s;  // the peer's ESP still came so long after all hosts fell silent

// The far end's stack or router says that the host is not there: nobody filters it.
bool is_absent(RefusalReason reason) {
  return reason == RefusalReason::host_unreachable || reason == RefusalReason::network_unreachable;
}

Confidence confidence_in(const InnerHost& host) {
  return host.ever_answered ? Confidence::likely : Confidence::possible;
}

}  // namespace

std::vector<config::Host> pinged_inside(const config::Tunnel& tunnel) {
  std::vector<config::Host> hosts = tunnel.inner_hosts;
  const auto& peer = tunnel.remote_tunnel_address;
  if (peer && std::none_of(hosts.begin(), hosts.end(), [&](const config::Host& h) { return h.address == peer; })) {
    hosts.push_back({peer->to_string(), peer});
  }
  return hosts;
}

void InnerEvidence::reconfigure(const config::Tunnel& tunnel) {
  subnets_ = tunnel.remote_subnets;
  std::vector<InnerHost> before = std::move(hosts_);
  hosts_.clear();
  cursor_ = 0;
  for (const config::Host& host : pinged_inside(tunnel)) {
    const bool expected = hosts_.size() < tunnel.inner_hosts.size();
    const auto same =
        std::find_if(before.begin(), before.end(), [&](const InnerHost& h) { return h.name == host.name; });
    if (same != before.end()) {
      hosts_.push_back(std::move(*same));
    } else {
      hosts_.emplace_back().name = host.name;
    }
    hosts_.back().expected = expected;
  }
}

// They come in their order: the next one is where the last one was found.
InnerHost* InnerEvidence::host_of(std::string_view name) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t at = (cursor_ + i) % hosts_.size();
    if (hosts_[at].name != name) continue;
    cursor_ = at + 1;
    return &hosts_[at];
  }
  return nullptr;
}

void InnerEvidence::note_carrying() {
  const F carrier = facts_.is(F::of_openvpn) ? F::client_link_up : F::esp_both_ways;
  const auto since = facts_.is(carrier) ? std::optional(facts_[carrier].since) : std::nullopt;
  if (since == carrying_since_) return;
  carrying_since_ = since;
  for (InnerHost& host : hosts_) {
    host.baseline = host.consecutive;
    host.asked_since.reset();
  }
}

bool InnerEvidence::is_silent(const InnerHost& host, const active::EchoWindow& window, TimePoint now) const {
  // A client's first echoes are refused before it has connected: the window remembers that for longer than it matters.
  const bool absent = is_absent(window.last_reason) && !facts_.is(F::of_openvpn);
  if (host.losses == 0 || absent) return false;
  const Duration silence = now - host.silent_since;
  if (!host.ever_answered) return host.losses >= kLossesOfUnknown && silence >= kSilenceOfUnknown;
  const bool lossy = facts_.is(F::gateway_loses) || facts_.is(F::references_lose) || facts_.is(F::inner_loses) ||
                     facts_.is(F::esp_in_loses);
  return host.losses >= (lossy ? kLossesWhereOthersLose : kLosses) && silence >= kSilence;
}

void InnerEvidence::on_echo(const InnerTarget& target, const active::EchoWindow& window, TimePoint now, bool last,
                            const std::optional<TimePoint>& inbound) {
  note_carrying();
  if (InnerHost* host = host_of(target.host); host != nullptr) {
    host->address = target.address;
    host->last_reply = window.last_reply;
    host->ever_answered = window.last_reply.has_value();
    host->consecutive = window.consecutive_losses;
    host->baseline = std::min(host->baseline, host->consecutive);
    host->losses = host->consecutive - host->baseline;
    host->answers = host->consecutive == 0 && host->ever_answered;
    if (!host->asked_since) host->asked_since = now;
    host->silent_since = std::max(host->last_reply.value_or(TimePoint::min()), *host->asked_since);
    host->silent =
        host->expected && carrying_since_ && (host->ever_answered || target.fits) && is_silent(*host, window, now);
  }
  if (last) judge(now, inbound);
}

void InnerEvidence::judge(TimePoint now, const std::optional<TimePoint>& inbound) {
  if (!carrying_since_) {
    facts_.forget(F::inner_host_blocked);
    facts_.forget(F::inner_subnet_blocked);
    return;
  }
  const InnerHost* answering = nullptr;
  std::vector<const InnerHost*> silent;
  for (const InnerHost& host : hosts_) {
    if (host.silent) silent.push_back(&host);
    if (host.answers && (answering == nullptr || *host.last_reply > *answering->last_reply)) answering = &host;
  }
  if (silent.empty()) {
    facts_.deny(F::inner_host_blocked, now);
    facts_.deny(F::inner_subnet_blocked, now);
  } else if (answering != nullptr) {
    judge_beside(*answering, silent, now);
  } else if (silent.size() == static_cast<std::size_t>(std::count_if(hosts_.begin(), hosts_.end(),
                                                                     [](const InnerHost& h) { return h.expected; }))) {
    judge_alone(silent, now, inbound);
  }
}

// The narrowest remote subnet that holds the host; subnets_.size() for none.
std::size_t InnerEvidence::subnet_of(const InnerHost& host) const {
  std::size_t best = subnets_.size();
  for (std::size_t i = 0; host.address && i < subnets_.size(); ++i) {
    if (!subnets_[i].contains(*host.address)) continue;
    if (best == subnets_.size() || subnets_[i].length > subnets_[best].length) best = i;
  }
  return best;
}

void InnerEvidence::judge_beside(const InnerHost& answering, const std::vector<const InnerHost*>& silent,
                                 TimePoint now) {
  struct Count {
    std::size_t hosts = 0;
    std::vector<const InnerHost*> silent;
  };
  std::vector<Count> counts(subnets_.size() + 1);
  for (const InnerHost& host : hosts_) counts[subnet_of(host)].hosts += host.expected ? 1U : 0U;
  for (const InnerHost* host : silent) counts[subnet_of(*host)].silent.push_back(host);

  const InnerHost* blocked = nullptr;  // a single host, the surest
  const Count* dark = nullptr;         // a subnet of which every host is silent, the one with most of them
  std::size_t dark_subnet = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Count& c = counts[i];
    const bool whole = !c.silent.empty() && c.silent.size() == c.hosts && i != subnets_.size();
    if (whole && (dark == nullptr || c.silent.size() > dark->silent.size())) {
      dark = &c;
      dark_subnet = i;
    }
    if (whole && c.hosts > 1) continue;
    for (const InnerHost* host : c.silent) {
      if (blocked == nullptr || (host->ever_answered && !blocked->ever_answered)) blocked = host;
    }
  }
  if (blocked != nullptr) {
    facts_.affirm(F::inner_host_blocked, now, confidence_in(*blocked), describe_silent_host(*blocked, answering, now));
  } else {
    facts_.deny(F::inner_host_blocked, now);
  }
  if (dark == nullptr) return facts_.deny(F::inner_subnet_blocked, now);
  const bool several = dark->silent.size() > 1 && std::any_of(dark->silent.begin(), dark->silent.end(),
                                                              [](const InnerHost* h) { return h->ever_answered; });
  facts_.affirm(F::inner_subnet_blocked, now, several ? Confidence::likely : Confidence::possible,
                describe_silent_subnet(subnets_[dark_subnet], dark->silent.size(), *dark->silent.front(), answering));
}

// No host answers, and yet the peer's ESP comes: something else of theirs gets through.
void InnerEvidence::judge_alone(const std::vector<const InnerHost*>& silent, TimePoint now,
                                const std::optional<TimePoint>& inbound) {
  TimePoint since = TimePoint::min();
  for (const InnerHost* host : silent) since = std::max(since, host->silent_since);
  if (now - since < kSilenceOfAll || !inbound || *inbound < since + kInboundBeyond) return;
  const Text text = describe_silent_hosts(silent.size(), *silent.front());
  facts_.affirm(F::inner_subnet_blocked, now, Confidence::possible, text);
  if (silent.size() == 1) facts_.affirm(F::inner_host_blocked, now, Confidence::possible, text);
}

}  // namespace tunnelwatch::diagnosis
