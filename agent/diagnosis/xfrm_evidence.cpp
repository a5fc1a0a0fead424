#include "agent/diagnosis/xfrm_evidence.h"

#include "agent/diagnosis/xfrm_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using host::XfrmMode;
using host::XfrmPolicy;
using host::XfrmSelector;
using host::XfrmState;
using F = FactId;

namespace {

constexpr F kFacts[] = {F::policy_absent, F::policy_conflict, F::peer_inside_policy, F::sa_mode_differs};
constexpr std::size_t kMaxPairs = 1024;                     // of a local and a remote subnet
constexpr std::size_t kMaxCompared = std::size_t{1} << 19;  // policies with another: some milliseconds

class Judgement {
 public:
  Judgement(Facts& facts, const config::Tunnel& tunnel, const IpAddress& remote, const XfrmIndex& index,
            const XfrmIndex::Peer& peer, TimePoint now)
      : facts_(facts), tunnel_(tunnel), remote_(remote), index_(index), peer_(peer), now_(now) {}

  std::size_t run() {
    judge_coverage();
    judge_conflict();
    judge_peer_inside();
    judge_modes();
    return compared_;
  }

 private:
  void judge_coverage() {
    std::optional<Text> absent;
    std::size_t pairs = 0;
    for (const IpPrefix& local : tunnel_.local_subnets) {
      for (const IpPrefix& remote : tunnel_.remote_subnets) {
        if (local.address.family() != remote.address.family() || ++pairs > kMaxPairs) continue;
        if (!may_compare(peer_.policies.size() + index_.protecting().size())) return facts_.forget(F::policy_absent);
        if (!is_touched(local, remote)) absent = describe_absent_policy(local, remote, remote_);
      }
    }
    if (pairs == 0 || (absent && !index_.complete())) return facts_.forget(F::policy_absent);
    set(F::policy_absent, absent);
  }

  // What is too much to be compared is not known.
  bool may_compare(std::size_t policies) {
    compared_ += policies;
    return compared_ <= kMaxCompared;
  }

  // A policy for a part, for some protocols, or for another peer that stands in: something else may be wrong with it.
  bool is_touched(const IpPrefix& local, const IpPrefix& remote) const {
    XfrmSelector wanted;
    wanted.source = local;
    wanted.destination = remote;
    const auto touches = [&](const XfrmPolicy* p) { return overlap(p->selector, wanted); };
    return std::any_of(peer_.policies.begin(), peer_.policies.end(), touches) ||
           std::any_of(index_.protecting().begin(), index_.protecting().end(), touches);
  }

  void judge_conflict() {
    for (const XfrmPolicy* own : peer_.policies) {
      if (!may_compare(index_.protecting().size())) return facts_.forget(F::policy_conflict);
      for (const XfrmPolicy* other : index_.protecting()) {
        if (is_in_the_way(*own, *other)) return set(F::policy_conflict, describe_policy_conflict(*own, *other));
      }
    }
    set(F::policy_conflict, std::nullopt);
  }

  // A narrower one that goes before is as it should be, and what marks or interfaces tell apart does not meet.
  static bool is_in_the_way(const XfrmPolicy& own, const XfrmPolicy& other) {
    const auto elsewhere = peer_of(other);
    if (!elsewhere || elsewhere == peer_of(own) || own.mark != other.mark) return false;
    if (!overlap(own.selector, other.selector)) return false;
    return own.priority == other.priority || (other.priority < own.priority && contains(other.selector, own.selector));
  }

  void judge_peer_inside() {
    std::optional<Text> inside;
    for (const XfrmPolicy* p : peer_.policies) {
      const auto& t = p->templates.front();
      if (t.mode != XfrmMode::tunnel || !t.source || !p->mark.any()) continue;
      if (!may_compare(index_.bypasses().size())) return facts_.forget(F::peer_inside_policy);
      XfrmSelector outer;
      outer.source = IpPrefix::of(*t.source, 128);
      outer.destination = IpPrefix::of(remote_, 128);
      if (contains(p->selector, outer) && !is_let_pass(outer, p->priority)) inside = describe_peer_inside(*p, remote_);
    }
    set(F::peer_inside_policy, inside);
  }

  // IKE is UDP; ESP itself is not looked at again.
  bool is_let_pass(XfrmSelector outer, std::uint32_t priority) const {
    constexpr std::uint8_t kUdp = 17;
    const auto lets = [&](const XfrmPolicy* b) {
      outer.protocol = b->selector.protocol == kUdp ? kUdp : 0;
      return b->priority < priority && b->mark.any() && b->selector.source.contains(outer.source) &&
             b->selector.destination.contains(outer.destination) && b->selector.protocol == outer.protocol;
    };
    return std::any_of(index_.bypasses().begin(), index_.bypasses().end(), lets);
  }

  void judge_modes() {
    const XfrmState* first[2] = {};  // out, in
    bool mixed = false;
    for (const XfrmState* state : peer_.states) {
      if (state->protocol == host::kProtocolComp) return facts_.forget(F::sa_mode_differs);  // ESP is in transport then
      if (state->protocol != host::kProtocolEsp) continue;
      const XfrmState*& of_direction = first[state->destination == remote_ ? 0 : 1];
      if (of_direction == nullptr) of_direction = state;
      mixed = mixed || of_direction->mode != state->mode;
    }
    if (first[0] == nullptr || first[1] == nullptr || mixed) return facts_.forget(F::sa_mode_differs);
    std::optional<Text> wrong;
    if (first[0]->mode != first[1]->mode) {
      wrong = describe_mode_difference(*first[0], *first[1]);
    } else if (first[0]->mode == XfrmMode::transport && wants_tunnel_mode()) {
      wrong = describe_transport_state(*first[0]);
    }
    set(F::sa_mode_differs, wrong);
  }

  // Between the gateways themselves, and around GRE or L2TP, transport mode is right.
  bool wants_tunnel_mode() const {
    const bool beyond = std::any_of(tunnel_.remote_subnets.begin(), tunnel_.remote_subnets.end(),
                                    [&](const IpPrefix& p) { return p != IpPrefix::of(remote_, 128); });
    const bool narrow = std::any_of(peer_.policies.begin(), peer_.policies.end(),
                                    [](const XfrmPolicy* p) { return p->selector.protocol != 0; });
    return beyond && !narrow && tunnel_.tunnel_interface.empty();
  }

  void set(F fact, const std::optional<Text>& text) {
    if (text) {
      facts_.affirm(fact, now_, Confidence::likely, *text);
    } else {
      facts_.deny(fact, now_);
    }
  }

  Facts& facts_;
  const config::Tunnel& tunnel_;
  const IpAddress& remote_;
  const XfrmIndex& index_;
  const XfrmIndex::Peer& peer_;
  TimePoint now_;
  std::size_t compared_ = 0;
};

bool is_same_flow(const XfrmState& a, const XfrmState& b) {
  return a.source == b.source && a.destination == b.destination && a.protocol == b.protocol && a.mark == b.mark;
}

}  // namespace

std::size_t judge_xfrm(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                       const XfrmIndex& index, TimePoint now) {
  const auto* peer = remote ? index.peer(*remote) : nullptr;
  if (peer != nullptr) return Judgement(facts, tunnel, *remote, index, *peer, now).run();
  for (const F fact : kFacts) facts.forget(fact);
  return 0;
}

void forget_xfrm(Facts& facts) {
  for (const F fact : kFacts) facts.forget(fact);
  facts.forget(F::sa_expired);
  facts.forget(F::spi_without_state);
}

void judge_unknown_spi(Facts& facts, std::span<const passive::EspStreamSummary> inbound, const XfrmIndex& index,
                       const UnknownSpiLook& look) {
  constexpr Duration kSummaryLate = std::chrono::milliseconds(1500);  // summaries come once a second
  constexpr Duration kQuiet = std::chrono::seconds(5);
  for (const auto& s : inbound) {
    if (look.dropped == 0 || !s.live || s.last + kSummaryLate < look.since) continue;
    if (!index.complete() || index.has_state(s.destination, s.spi)) continue;
    // Of a peer that the kernel does not serve, ESP in UDP is for user space, and even plain ESP may be.
    const bool served = index.peer(s.source) != nullptr;
    if (!served && s.in_udp) continue;
    facts.affirm(F::spi_without_state, look.now, served ? Confidence::likely : Confidence::possible,
                 describe_unknown_spi(s.source, s.spi));
    return;
  }
  if (!facts.is(F::spi_without_state) || look.now - facts[F::spi_without_state].last > kQuiet)
    facts.deny(F::spi_without_state, look.now);
}

void HardExpiries::on_expired(const XfrmState& expired, const host::XfrmView& before, TimePoint at) {
  Expired e{expired, at, {}};
  bool stood = false;
  for (const XfrmState& state : before.states) {
    if (!is_same_flow(state, expired) || state.is_larval()) continue;
    stood = stood || state.spi == expired.spi;
    e.beside.push_back(state.spi);
  }
  if (!stood || e.beside.size() > kMaxBeside) return;
  if (expired_.size() == kMax) expired_.erase(expired_.begin());
  expired_.push_back(std::move(e));
}

void HardExpiries::settle(const host::XfrmView& view, TimePoint now) {
  std::erase_if(expired_, [&](const Expired& e) {
    if (now - e.at > kKept) return true;
    return std::any_of(view.states.begin(), view.states.end(), [&](const XfrmState& s) {
      if (!is_same_flow(s, e.state) || s.is_larval() || s.spi == e.state.spi) return false;
      return (s.request != 0 && s.request == e.state.request) ||
             std::find(e.beside.begin(), e.beside.end(), s.spi) == e.beside.end();
    });
  });
}

void HardExpiries::judge(Facts& facts, const std::optional<IpAddress>& remote) const {
  const auto own = std::find_if(expired_.begin(), expired_.end(), [&](const Expired& e) {
    return remote && (e.state.source == *remote || e.state.destination == *remote);
  });
  if (own == expired_.end()) return facts.forget(F::sa_expired);
  if (facts.is(F::sa_expired) && facts[F::sa_expired].last == own->at) return;
  facts.affirm(F::sa_expired, own->at, Confidence::likely, describe_hard_expiry(own->state));
}

}  // namespace tunnelwatch::diagnosis
