#include "agent/tunnel.h"

#include "agent/diagnosis/wording.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using diagnosis::FactId;
using passive::IkeSight;
using passive::PeerState;
using passive::Side;

namespace {

// What is told as an event: a request without an answer once, when it is first repeated, and never an ordinary answer.
bool is_event(const passive::IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::request_answered:
    case IkeSight::ike_ended:
      return false;
    case IkeSight::init_unanswered:
    case IkeSight::auth_unanswered:
    case IkeSight::eap_unanswered:
    case IkeSight::xauth_unanswered:
    case IkeSight::child_unanswered:
    case IkeSight::request_unanswered:
      return o.sends == 2;
    default:
      return true;
  }
}

// What every tunnel goes through sooner or later: counted from nought, so that its first time is an increase too.
bool is_ordinary_life(IkeSight sight) {
  switch (sight) {
    case IkeSight::ike_established:
    case IkeSight::ike_rekeyed:
    case IkeSight::ike_deleted:
    case IkeSight::child_established:
    case IkeSight::child_rekeyed:
    case IkeSight::child_deleted:
      return true;
    default:
      return false;
  }
}

exporters::Text text_of(diagnosis::LocalText t) { return {std::string(t.en), std::string(t.zh)}; }

}  // namespace

std::string_view to_string(PeerState state) {
  switch (state) {
    case PeerState::unknown:
      return "unknown";
    case PeerState::negotiating:
      return "negotiating";
    case PeerState::up:
      return "up";
    case PeerState::down:
      return "down";
  }
  return "unknown";
}

Tunnel::Tunnel(config::Tunnel settings, bool configured, const config::LossThresholds& loss)
    : remote_(settings.remote.address),
      configured_(configured),
      settings_(std::move(settings)),
      evidence_(loss),
      traffic_(evidence_.facts(), settings_, loss),
      offers_(evidence_.facts(), settings_),
      pinged_inside_(diagnosis::pinged_inside(settings_)) {
  note_kind();
}

void Tunnel::note_kind() {
  diagnosis::Facts& facts = evidence_.facts();
  const bool openvpn = settings_.kind == config::TunnelKind::openvpn;
  if (openvpn == facts.is(FactId::of_openvpn)) return;
  if (openvpn) return facts.affirm(FactId::of_openvpn, {}, diagnosis::Confidence::confirmed, {});
  facts.forget(FactId::of_openvpn);
  facts.forget(FactId::client_link_up);
}

// An OpenVPN client whose interface stands is up, unless the hosts inside have fallen silent.
PeerState Tunnel::client_state() const {
  const diagnosis::Facts& facts = evidence_.facts();
  if (facts.is_not(FactId::client_link_up)) return PeerState::down;
  if (!facts.is(FactId::client_link_up)) return PeerState::unknown;
  return facts.is(FactId::inner_silent) ? PeerState::down : PeerState::up;
}

bool Tunnel::matches(const passive::PeerKey& key) const {
  return remote_ == key.remote && (!settings_.local || *settings_.local == key.local);
}

void Tunnel::on_ike(const passive::IkeObservation& o) {
  last_heard_ = std::max(last_heard_, o.at);
  const auto revision = evidence_.facts().revision();
  evidence_.on_ike(o);
  // Most of what a tunnel that works says is answers that change nothing.
  if (o.sight == IkeSight::request_answered && evidence_.facts().revision() == revision) return;
  mark_changed();
  if (!is_event(o) || is_told_again(o)) return;
  ++event_counts_[static_cast<std::size_t>(o.sight)];
  keep(o);
}

// A silence that lasts is told again as it grows, and is one event.
bool Tunnel::is_told_again(const passive::IkeObservation& o) const {
  return o.sends != 0 && std::any_of(events_.rbegin(), events_.rend(), [&](const passive::IkeObservation& e) {
           return e.sight == o.sight && e.by == o.by && e.sends == o.sends && e.since == o.since;
         });
}

void Tunnel::keep(const passive::IkeObservation& event) {
  constexpr std::size_t kFirstRoom = 8;
  if (events_.full() && events_.capacity() < kMaxEvents)
    events_.set_capacity(std::clamp(2 * events_.capacity(), kFirstRoom, kMaxEvents));
  events_.push_back(event);
}

void Tunnel::on_esp(const passive::EspStreamSummary& s, bool outbound) {
  last_heard_ = std::max(last_heard_, s.last);
  auto it = std::find_if(streams_.begin(), streams_.end(), [&](const Stream& x) {
    return x.last.spi == s.spi && x.outbound == outbound && x.last.interface == s.interface;
  });
  if (it == streams_.end()) {
    if (streams_.size() == kMaxStreams) {
      streams_.erase(std::min_element(streams_.begin(), streams_.end(),
                                      [](const Stream& a, const Stream& b) { return a.last.last < b.last.last; }));
    }
    it = streams_.insert(streams_.end(), Stream{passive::EspStreamSummary{}, outbound});
    it->last.spi = s.spi;
    it->last.interface = s.interface;
  }
  // A stream that left the front end's table and came back begins at nought again.
  const bool restarted = s.packets < it->last.packets;
  const auto grown = [&](std::uint64_t now, std::uint64_t before) {
    return restarted ? now : now - std::min(now, before);
  };
  exporters::EspTotals& totals = outbound ? esp_out_ : esp_in_;
  const std::uint64_t packets = grown(s.packets, it->last.packets);
  totals.packets += packets;
  totals.bytes += grown(s.bytes, it->last.bytes);
  totals.lost += grown(s.lost, it->last.lost);
  totals.reordered += grown(s.reordered, it->last.reordered);
  totals.duplicates += grown(s.duplicates, it->last.duplicates);
  it->last = s;
  traffic().on_esp(s, outbound);
  if (packets == 0) return;
  const std::uint16_t remote_port = outbound ? s.destination_port : s.source_port;
  reach_.on_packets(outbound, packets, s.in_udp, s.last);
  evidence_.on_esp(outbound, packets, s.in_udp ? remote_port : std::uint16_t{0}, s.last);
  mark_changed();
}

void Tunnel::on_log(const diagnosis::LogHit& hit, TimePoint at) {
  evidence_.on_log(hit, at, hit.proposals ? diagnosis::compare(*hit.proposals, settings_) : std::nullopt);
  mark_changed();
}

void Tunnel::tell_changes_to(std::vector<Tunnel*>* changed) {
  changed_list_ = changed;
  if (changed_ && changed != nullptr) changed->push_back(this);
}

Tunnel::Settled Tunnel::settle(const passive::IkePeerView* view, TimePoint now) {
  changed_ = false;
  Settled settled;
  if (view != nullptr && view->one_sided) evidence_.forget_returns();
  if (view != nullptr && (view->nat_local.value_or(false) || view->nat_remote.value_or(false))) reach_.on_nat();
  // The probe was of protocol 50, and went before any ESP of the tunnel was seen.
  if (reach_.in_udp().value_or(false)) evidence_.facts().forget(diagnosis::FactId::probe_esp_rejected);
  offers_.compare(view != nullptr ? &view->offers : nullptr, now);
  // Most packets of a tunnel that works change no fact, and the same facts have the same causes.
  if (judged_ != evidence_.facts().revision()) {
    judged_ = evidence_.facts().revision();
    auto findings = diagnosis::diagnose(evidence_.facts());
    dead_ = std::any_of(findings.begin(), findings.end(), [](const diagnosis::Finding& f) {
      return f.cause == diagnosis::Cause::dpd_timeout || f.cause == diagnosis::Cause::esp_blocked;
    });
    settled.causes = verdict_.update(std::move(findings), now);
  }
  // ESP alone, whose IKE was not seen, says at least that it flows.
  const PeerState by_esp = evidence_.esp_flows() ? PeerState::up : PeerState::unknown;
  PeerState state = view != nullptr ? view->state : by_esp;
  if (settings_.kind == config::TunnelKind::openvpn) state = client_state();
  if (state == PeerState::up && dead_) state = PeerState::down;
  if (state != state_ || !state_since_) {
    if (state != state_) settled.state = state;
    state_ = state;
    state_since_ = now;
  }
  return settled;
}

exporters::CauseReport Tunnel::cause_report(const diagnosis::CauseHistory& c, const WallClock& clock,
                                            exporters::Detail detail) const {
  const auto& row = diagnosis::row_of(c.cause);
  exporters::CauseReport cause;
  cause.cause = to_string(c.cause);
  cause.active = c.active;
  cause.confidence = to_string(c.confidence);
  cause.severity = to_string(row.severity);
  cause.first_seen = clock.at(c.first_seen);
  cause.last_seen = clock.at(c.last_seen);
  if (c.cleared) cause.cleared = clock.at(*c.cleared);
  if (detail == exporters::Detail::numbers) return cause;
  for (const auto s : row.sections) cause.sections.emplace_back(s);
  cause.title = text_of(row.title);
  cause.action = text_of(row.action);
  cause.evidence = c.evidence;
  for (const auto a : row.alternatives) cause.alternatives.emplace_back(to_string(a));
  return cause;
}

void Tunnel::report_esp_reach(exporters::TunnelReport& r, const WallClock& clock, exporters::Detail detail) const {
  if (!reach_.since()) return;
  exporters::EspReachReport reach;
  reach.verdict = to_string(reach_.verdict());
  reach.since = clock.at(*reach_.since());
  reach.in_udp = reach_.in_udp();
  if (reach_.by()) reach.by = to_string(*reach_.by());
  if (detail == exporters::Detail::all) {
    for (auto& t : reach_.testimony()) {
      const bool decides = t.witness == reach_.by();
      if (decides && t.reason != RefusalReason::none) reach.reason = tunnelwatch::to_string(t.reason);
      if (decides && t.hop != 0) reach.hop = t.hop;
      reach.evidence.push_back({std::string(to_string(t.witness)), std::string(to_string(t.says)), clock.at(t.at),
                                t.beside, std::move(t.text)});
    }
  }
  r.esp_reach = std::move(reach);
}

void Tunnel::report_texts(exporters::TunnelReport& r, const passive::IkePeerView* view, const WallClock& clock) const {
  r.events.reserve(events_.size());
  for (const passive::IkeObservation& o : events_) {
    const std::string_view name = to_string(o.sight);
    std::string detail = diagnosis::describe(o).en;
    if (detail == name) detail.clear();  // an ordinary event says all by its name
    r.events.push_back({clock.at(o.at), std::string(name), std::string(to_string(o.by)), std::move(detail)});
  }
  for (const Stream& s : streams_) {
    r.esp.push_back({fmt::format("0x{:08x}", s.last.spi), s.outbound ? "out" : "in", s.last.packets, s.last.bytes,
                     s.last.lost, s.last.reordered, s.last.duplicates, s.last.in_udp});
  }
  if (evidence_.facts().is(diagnosis::FactId::daemon_child_departs))
    r.offers.differences.push_back(evidence_.facts()[diagnosis::FactId::daemon_child_departs].evidence.en);
  if (view == nullptr) return;
  for (const auto& o : view->offers.local) r.offers.local.push_back(passive::to_string(o));
  for (const auto& o : view->offers.remote) r.offers.remote.push_back(passive::to_string(o));
  for (auto& difference : offers_.describe(view->offers)) r.offers.differences.push_back(std::move(difference));
}

exporters::TunnelReport Tunnel::report(const passive::IkePeerView* view, const WallClock& clock,
                                       exporters::Detail detail) const {
  exporters::TunnelReport r;
  r.name = name();
  r.configured = configured_;
  if (peer_) {
    r.local = peer_->local.to_string();
    r.remote = peer_->remote.to_string();
  } else {
    if (settings_.local) r.local = settings_.local->to_string();
    r.remote = remote_ ? remote_->to_string() : "";
  }
  r.state = to_string(state_);
  if (state_since_) r.state_since = clock.at(*state_since_);
  for (const auto* c : verdict_.ranked()) r.causes.push_back(cause_report(*c, clock, detail));
  for (std::size_t i = 0; i < event_counts_.size(); ++i) {
    const auto sight = static_cast<IkeSight>(i);
    if (event_counts_[i] != 0 || is_ordinary_life(sight))
      r.event_counts.emplace_back(to_string(sight), event_counts_[i]);
  }
  for (const auto part : offers_.differing()) r.offers_differ.push_back(to_string(part));
  r.queue_dropped = evidence_.line().dropped();
  r.esp_in = esp_in_;
  r.esp_out = esp_out_;
  report_esp_reach(r, clock, detail);
  if (detail == exporters::Detail::all) report_texts(r, view, clock);
  if (view == nullptr) return r;
  r.ike_version = view->version;
  r.nat.local = view->nat_local;
  r.nat.remote = view->nat_remote;
  r.ike_messages = {{"out", view->messages[0]}, {"in", view->messages[1]}};
  return r;
}

}  // namespace tunnelwatch::agent
