#include "agent/diagnosis/daemon_evidence.h"

#include "agent/diagnosis/host_wording.h"
#include "agent/diagnosis/log_proposals.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using host::DaemonChild;
using host::DaemonConnection;
using host::DaemonSa;
using host::DaemonSelectors;
using F = FactId;

namespace {

constexpr F kFacts[] = {F::daemon_selectors_absent, F::daemon_selectors_partial, F::daemon_selectors_narrowed,
                        F::daemon_transport_mode,   F::daemon_child_departs,     F::daemon_child_missing,
                        F::daemon_unknown_spis};

constexpr Duration kUnknownSpisAreNews = std::chrono::minutes(1);

// The two halves of a subnet.
std::pair<IpPrefix, IpPrefix> halves(const IpPrefix& whole) {
  const auto length = static_cast<std::uint8_t>(whole.length + 1);
  std::array<std::uint8_t, 16> bytes{};
  std::copy(whole.address.bytes().begin(), whole.address.bytes().end(), bytes.begin());
  bytes[whole.length / 8] = static_cast<std::uint8_t>(bytes[whole.length / 8] | (0x80U >> (whole.length % 8U)));
  const auto upper = whole.address.is_v4() ? IpAddress::v4(std::span<const std::uint8_t, 4>(bytes.data(), 4))
                                           : IpAddress::v6(std::span<const std::uint8_t, 16>(bytes));
  return {{whole.address, length}, {upper, length}};
}

bool overlaps(const IpPrefix& subnet, const std::vector<IpPrefix>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const IpPrefix& p) { return p.overlaps(subnet); });
}

// The selectors of one side of all children together.
DaemonSelectors together(const std::vector<const DaemonChild*>& children, DaemonSelectors DaemonChild::*side) {
  DaemonSelectors all;
  for (const DaemonChild* child : children) {
    const DaemonSelectors& s = child->*side;
    all.subnets.insert(all.subnets.end(), s.subnets.begin(), s.subnets.end());
    all.narrowed.insert(all.narrowed.end(), s.narrowed.begin(), s.narrowed.end());
    all.dynamic = all.dynamic || s.dynamic;
    all.unclear = all.unclear || s.unclear;
  }
  return all;
}

bool is_called_so(const DaemonConnection& c, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const std::vector<const DaemonSa*>& sas) {
  if (c.name == tunnel.name) return true;
  const auto& remotes = c.remote_addresses;
  if (remote && std::find(remotes.begin(), remotes.end(), *remote) != remotes.end()) return true;
  return std::any_of(sas.begin(), sas.end(), [&](const DaemonSa* sa) { return sa->connection == c.name; });
}

std::vector<const DaemonSa*> sas_of(const std::optional<IpAddress>& remote, const host::DaemonView& view) {
  std::vector<const DaemonSa*> sas;
  for (const DaemonSa& sa : view.sas) {
    if (sa.remote && sa.remote == remote) sas.push_back(&sa);
  }
  return sas;
}

class Judgement {
 public:
  Judgement(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
            const host::DaemonView& view, TimePoint now)
      : facts_(facts), tunnel_(tunnel), now_(now), sas_(sas_of(remote, view)) {
    for (const DaemonConnection& c : view.connections) {
      if (is_called_so(c, tunnel, remote, sas_)) connections_.push_back(&c);
    }
    for (const DaemonConnection* c : connections_) {
      for (const DaemonChild& child : c->children) configured_.push_back(&child);
    }
    for (const DaemonSa* sa : sas_) {
      for (const DaemonChild& child : sa->children) {
        if (child.state == "INSTALLED") installed_.push_back(&child);
      }
    }
  }

  void run() {
    if (configured_.empty()) return forget_daemon(facts_);
    judge_configured();
    judge_installed();
    judge_suite();
    judge_child();
  }

 private:
  struct Side {
    const std::vector<IpPrefix>& wanted;
    DaemonSelectors DaemonChild::*of;
    bool local;
  };
  std::array<Side, 2> sides() const {
    return {Side{tunnel_.local_subnets, &DaemonChild::local, true},
            Side{tunnel_.remote_subnets, &DaemonChild::remote, false}};
  }

  void judge_configured() {
    std::optional<Text> absent;
    std::optional<Text> partial;
    for (const Side& side : sides()) {
      const auto told = together(configured_, side.of);
      if (told.unclear) return forget({F::daemon_selectors_absent, F::daemon_selectors_partial});
      for (const IpPrefix& subnet : side.wanted) {
        if (covered(subnet, told.subnets)) continue;
        const Text text = describe_selectors(connections_.front()->name, subnet, side.local, told);
        (overlaps(subnet, told.subnets) || overlaps(subnet, told.narrowed) ? partial : absent) = text;
      }
    }
    set(F::daemon_selectors_absent, absent);
    set(F::daemon_selectors_partial, partial);
  }

  // The peer agreed to less than what this end is told.
  void judge_installed() {
    std::optional<Text> narrowed;
    for (const Side& side : sides()) {
      const auto agreed = together(installed_, side.of);
      if (agreed.unclear) return forget({F::daemon_selectors_narrowed});
      for (const IpPrefix& subnet : side.wanted) {
        if (covered(subnet, agreed.subnets) || !overlaps(subnet, agreed.subnets)) continue;
        const bool meant = std::any_of(installed_.begin(), installed_.end(), [&](const DaemonChild* sa) {
          return overlaps(subnet, (sa->*side.of).subnets) && means(*sa, side, subnet);
        });
        if (meant) narrowed = describe_narrowing(subnet, side.local, agreed);
      }
    }
    if (installed_.empty()) return forget({F::daemon_selectors_narrowed});
    set(F::daemon_selectors_narrowed, narrowed);
  }

  bool means(const DaemonChild& sa, const Side& side, const IpPrefix& subnet) const {
    return std::any_of(configured_.begin(), configured_.end(), [&](const DaemonChild* child) {
      return child->name == sa.name && covered(subnet, (child->*side.of).subnets);
    });
  }

  void judge_suite() {
    if (installed_.empty() || tunnel_.esp.empty()) return forget({F::daemon_child_departs});
    std::optional<Text> departs;
    for (const DaemonChild* child : installed_) {
      if (!departs) departs = compare_child(child->suite, tunnel_);
    }
    set(F::daemon_child_departs, departs);
  }

  void judge_child() {
    const auto established =
        std::find_if(sas_.begin(), sas_.end(), [](const DaemonSa* sa) { return sa->state == "ESTABLISHED"; });
    const auto transport =
        std::find_if(configured_.begin(), configured_.end(), [](const DaemonChild* c) { return c->transport_mode; });
    set(F::daemon_transport_mode,
        transport == configured_.end() ? std::nullopt : std::optional(describe_transport_mode((*transport)->name)));
    if (established == sas_.end()) return forget({F::daemon_child_missing});
    set(F::daemon_child_missing,
        installed_.empty() ? std::optional(describe_missing_child((*established)->connection)) : std::nullopt);
  }

  void set(F fact, const std::optional<Text>& text) {
    if (text) {
      facts_.affirm(fact, now_, Confidence::likely, *text);
    } else {
      facts_.deny(fact, now_);
    }
  }
  void forget(std::initializer_list<F> facts) {
    for (const F fact : facts) facts_.forget(fact);
  }

  Facts& facts_;
  const config::Tunnel& tunnel_;
  TimePoint now_;
  std::vector<const DaemonSa*> sas_;
  std::vector<const DaemonConnection*> connections_;
  std::vector<const DaemonChild*> configured_;
  std::vector<const DaemonChild*> installed_;
};

}  // namespace

bool covered(const IpPrefix& subnet, const std::vector<IpPrefix>& parts) {
  constexpr int kMostSteps = 4096;  // what is taken apart more finely counts as covered: nothing is proved then
  std::vector<IpPrefix> open{subnet};
  for (int step = 0; step < kMostSteps && !open.empty(); ++step) {
    const IpPrefix part = open.back();
    open.pop_back();
    if (std::any_of(parts.begin(), parts.end(), [&](const IpPrefix& p) { return p.contains(part); })) continue;
    const unsigned longest = part.address.is_v4() ? 32 : 128;
    if (!overlaps(part, parts) || part.length >= longest) return false;
    const auto [lower, upper] = halves(part);
    open.push_back(lower);
    open.push_back(upper);
  }
  return true;
}

void forget_daemon(Facts& facts) {
  for (const F fact : kFacts) facts.forget(fact);
}

std::vector<std::string_view> connections_of(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                                             const host::DaemonView& view) {
  const auto sas = sas_of(remote, view);
  std::vector<std::string_view> names;
  for (const DaemonConnection& c : view.connections) {
    if (is_called_so(c, tunnel, remote, sas)) names.push_back(c.name);
  }
  return names;
}

void judge_unknown_spis(Facts& facts, std::uint64_t more, TimePoint now) {
  if (more > 0) {
    facts.affirm(F::daemon_unknown_spis, now, Confidence::likely, describe_unknown_spis(more));
  } else if (!facts.is(F::daemon_unknown_spis) || now - facts[F::daemon_unknown_spis].last > kUnknownSpisAreNews) {
    facts.deny(F::daemon_unknown_spis, now);
  }
}

void judge_daemon(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const host::DaemonView& view, TimePoint now) {
  Judgement(facts, tunnel, remote, view, now).run();
}

}  // namespace tunnelwatch::diagnosis
