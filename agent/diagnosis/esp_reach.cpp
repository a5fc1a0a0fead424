#include "agent/diagnosis/esp_reach.h"

#include "agent/diagnosis/path_evidence.h"
#include "agent/diagnosis/wording.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using active::TraceOutcome;
using active::TraceProtocol;
using exporters::Text;

namespace {

// Of our own kernel or of the network, what says that ESP does not get there. The rest says something of this machine's
// memory, or of a packet's size.
bool is_verdict(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::network_unreachable:
    case RefusalReason::host_unreachable:
    case RefusalReason::protocol_unreachable:
    case RefusalReason::port_unreachable:
    case RefusalReason::prohibited:
    case RefusalReason::ttl_exceeded:
    case RefusalReason::no_route:
    case RefusalReason::not_permitted:
    case RefusalReason::no_interface:
      return true;
    default:
      return false;
  }
}

EspTestimony testimony_of_probe(const EspProbeObservation& o, std::uint32_t silences, bool answered) {
  EspTestimony t{.witness = EspWitness::esp_probe, .reason = o.reason, .at = o.at, .text = {}};
  switch (o.outcome) {
    case EspProbeOutcome::answered:
      t.says = EspVerdict::reachable;
      t.text = describe_esp_answer(o.rtt);
      break;
    case EspProbeOutcome::refused:
    case EspProbeOutcome::send_error:
      if (is_verdict(o.reason)) t.says = EspVerdict::unreachable;
      t.text = describe_esp_refusal(o);
      break;
    case EspProbeOutcome::silent:
      t.text = describe_esp_silence(silences, answered);
      break;
  }
  return t;
}

}  // namespace

std::string_view to_string(EspVerdict verdict) {
  switch (verdict) {
    case EspVerdict::unknown:
      return "unknown";
    case EspVerdict::reachable:
      return "reachable";
    case EspVerdict::unreachable:
      return "unreachable";
  }
  return "unknown";
}

std::string_view to_string(EspWitness witness) {
  switch (witness) {
    case EspWitness::traffic:
      return "traffic";
    case EspWitness::inner_pings:
      return "inner_pings";
    case EspWitness::icmp_error:
      return "icmp_error";
    case EspWitness::esp_probe:
      return "esp_probe";
    case EspWitness::trace:
      return "trace";
  }
  return "traffic";
}

void EspReach::on_packets(bool outbound, std::uint64_t packets, bool in_udp, TimePoint at) {
  Direction& mine = outbound ? out_ : in_;
  if (mine.since_other == 0) mine.first_since = at;
  mine.since_other += packets;
  mine.last = at;
  (outbound ? in_ : out_).since_other = 0;
  in_udp_ = in_udp;
}

void EspReach::on_inner_echo(std::string_view host, const active::EchoWindow& window) {
  auto& said = of(EspWitness::inner_pings);
  if (window.consecutive_losses >= kLostEchoes) {
    if (host == inner_host_) said.reset();
    return;
  }
  if (window.consecutive_losses != 0 || !window.last_reply || (said && said->at >= *window.last_reply)) return;
  inner_host_ = host;
  said = EspTestimony{.witness = EspWitness::inner_pings,
                      .says = EspVerdict::reachable,
                      .at = *window.last_reply,
                      .text = describe_inner_answer(host)};
}

void EspReach::on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, TimePoint at) {
  if (!is_verdict(reason)) return;
  of(EspWitness::icmp_error) = EspTestimony{.witness = EspWitness::icmp_error,
                                            .says = EspVerdict::unreachable,
                                            .reason = reason,
                                            .at = at,
                                            .text = describe_rejection(reason, from, from_peer, "ESP", 0)};
}

void EspReach::on_probe(const EspProbeObservation& o) {
  silences_ = o.outcome == EspProbeOutcome::silent ? silences_ + 1 : 0;
  // One that is missed may be lost by chance.
  const auto& before = of(EspWitness::esp_probe);
  if (silences_ == 1 && before && before->says == EspVerdict::reachable) return;
  if (o.outcome != EspProbeOutcome::silent) answered_ = o.outcome == EspProbeOutcome::answered;
  of(EspWitness::esp_probe) = testimony_of_probe(o, silences_, answered_);
}

void EspReach::on_trace(std::span<const active::TraceFinding> findings, TimePoint at) {
  for (const auto& f : findings) {
    if (f.protocol != TraceProtocol::esp) continue;
    EspTestimony t{.witness = EspWitness::trace, .reason = f.last.reason, .at = at, .text = describe_trace(f)};
    const bool refused = f.outcome == TraceOutcome::reached && f.last.reason != RefusalReason::none;
    if (f.outcome == TraceOutcome::dies || (f.outcome == TraceOutcome::rejected && is_verdict(f.last.reason)) ||
        (refused && is_verdict(f.last.reason))) {
      t.says = EspVerdict::unreachable;
      t.hop = f.hop;
    } else if (f.outcome == TraceOutcome::reached && !refused) {
      t.says = EspVerdict::reachable;
    }
    if (f.outcome == TraceOutcome::dies) t.reason = RefusalReason::none;  // the last answer's is its TTL
    of(EspWitness::trace) = std::move(t);
  }
}

void EspReach::forget_probes() {
  for (const auto w : {EspWitness::inner_pings, EspWitness::esp_probe}) of(w).reset();
  answered_ = false;
  silences_ = 0;
}

bool EspReach::one_way() const {
  return out_.since_other >= kOneWayPackets && *out_.last - out_.first_since >= kOneWay;
}

bool EspReach::flows(TimePoint now) const {
  return in_.last && out_.last && now - *in_.last <= kFlowing && now - *out_.last <= kFlowing && !one_way();
}

bool EspReach::both_ways(TimePoint now) const {
  return in_.last && out_.last && now - *in_.last <= kWindow && now - *out_.last <= kWindow && !one_way();
}

std::optional<EspTestimony> EspReach::traffic() const {
  const auto recent = [&](const Direction& d) { return d.last && updated_ - *d.last <= kWindow; };
  if (!recent(in_) && !recent(out_)) return std::nullopt;
  EspTestimony t{.witness = EspWitness::traffic, .text = {}};
  if (both_ways(updated_)) {
    t.says = EspVerdict::reachable;
    t.at = *in_.last;  // ours that goes on proves nothing
    t.text = describe_esp_flow(in_udp_.value_or(false));
  } else {
    const bool outbound = recent(out_);
    t.at = outbound ? *out_.last : *in_.last;
    t.text = describe_esp_lone(outbound, outbound ? out_.since_other : in_.since_other);
  }
  return t;
}

bool EspReach::holds(const EspTestimony& t, TimePoint now) const {
  switch (t.witness) {
    case EspWitness::traffic:
    case EspWitness::inner_pings:
    case EspWitness::icmp_error:
      return now - t.at <= kWindow;
    case EspWitness::esp_probe:
      return t.says != EspVerdict::reachable || now - t.at <= probe_lasts_;
    case EspWitness::trace:
      return now - t.at <= kTraceLasts;
  }
  return false;
}

// What was asked with protocol 50 says nothing of ESP in UDP.
bool EspReach::is_beside(EspWitness witness) const {
  return in_udp_.value_or(false) && (witness == EspWitness::esp_probe || witness == EspWitness::trace);
}

std::vector<EspTestimony> EspReach::testimony() const {
  std::vector<EspTestimony> list;
  if (auto t = traffic()) list.push_back(std::move(*t));
  for (const auto& t : said_) {
    if (!t || !holds(*t, updated_)) continue;
    list.push_back(*t);
    list.back().beside = is_beside(t->witness);
  }
  return list;
}

bool EspReach::update(TimePoint now) {
  updated_ = now;
  EspVerdict verdict = EspVerdict::unknown;
  by_.reset();
  TimePoint newest = TimePoint::min();
  if (both_ways(now)) {
    verdict = EspVerdict::reachable;
    by_ = EspWitness::traffic;
    newest = *in_.last;
  }
  for (const auto& t : said_) {
    const bool decides = t && t->says != EspVerdict::unknown && !is_beside(t->witness) && holds(*t, now);
    if (!decides || t->at <= newest || flows(now)) continue;
    verdict = t->says;
    by_ = t->witness;
    newest = t->at;
  }
  const bool changed = verdict != verdict_;
  if (changed || !since_) since_ = now;
  verdict_ = verdict;
  return changed;
}

}  // namespace tunnelwatch::diagnosis
