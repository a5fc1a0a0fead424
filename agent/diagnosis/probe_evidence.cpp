#include "agent/diagnosis/probe_evidence.h"

#include "agent/diagnosis/wording.h"

#include <algorithm>
#include <iterator>

namespace tunnelwatch::diagnosis {

using F = FactId;

namespace {

constexpr std::uint32_t kSilentProbes = 2;
constexpr std::uint32_t kSilentEchoes = 2;
// Fewer lost echoes than this are chance, whatever the ratio: two of twenty are no alarm yet.
constexpr std::uint64_t kFewestLosses = 3;
constexpr std::uint64_t kFewestEchoes = 10;

double ratio_of(const active::EchoWindow& w) {
  return static_cast<double>(w.in_service_lost) / static_cast<double>(w.in_service);
}

}  // namespace

void ProbeEvidence::on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, bool esp,
                                  std::uint16_t port, TimePoint at) {
  const bool rejected = reason == RefusalReason::prohibited || reason == RefusalReason::port_unreachable ||
                        reason == RefusalReason::protocol_unreachable;
  const bool unreachable = reason == RefusalReason::host_unreachable || reason == RefusalReason::network_unreachable;
  if (unreachable) {
    facts_.affirm(
        F::peer_unreachable, at, Confidence::likely,
        describe_rejection(reason, from, from_peer, esp ? "ESP" : "IKE", esp && port == 0 ? std::uint16_t{0} : port));
    return;
  }
  if (!rejected) return;
  const Text text = describe_rejection(reason, from, from_peer, esp ? "ESP" : "IKE", port);
  if (esp) {
    facts_.affirm(F::esp_rejected, at, Confidence::confirmed, text);
  } else {
    facts_.affirm(port == 4500 ? F::ike_4500_rejected : F::ike_500_rejected, at, Confidence::confirmed, text);
  }
}

void ProbeEvidence::on_ike_probe(const IkeProbeObservation& o) {
  const bool is_4500 = o.port == 4500;
  std::uint32_t& in_a_row = is_4500 ? silent_4500_ : silent_500_;
  const FactId silent = is_4500 ? F::probe_4500_silent : F::probe_500_silent;
  const FactId rejected = is_4500 ? F::probe_4500_rejected : F::probe_500_rejected;
  switch (o.outcome) {
    case IkeProbeOutcome::answered:
      in_a_row = 0;
      facts_.affirm(is_4500 ? F::probe_4500_answered : F::probe_500_answered, o.at, Confidence::confirmed,
                    describe_probe_answer(o.port));
      facts_.deny(silent, o.at);
      facts_.deny(rejected, o.at);
      break;
    case IkeProbeOutcome::silent:
      facts_.deny(is_4500 ? F::probe_4500_answered : F::probe_500_answered, o.at);
      if (++in_a_row < kSilentProbes) break;
      facts_.affirm(silent, o.at, Confidence::likely, describe_probe_silence(o.port, in_a_row));
      break;
    case IkeProbeOutcome::refused:
      in_a_row = 0;
      facts_.deny(is_4500 ? F::probe_4500_answered : F::probe_500_answered, o.at);
      if (o.reason == RefusalReason::prohibited || o.reason == RefusalReason::port_unreachable) {
        facts_.affirm(rejected, o.at, Confidence::confirmed, describe_probe_rejection(o.port, o.reason, o.from));
      }
      break;
    case IkeProbeOutcome::send_error:
      break;
  }
}

// Silence says nothing.
void ProbeEvidence::on_esp_probe(const EspProbeObservation& o) {
  if (o.outcome == EspProbeOutcome::answered) facts_.deny(F::probe_esp_rejected, o.at);
  if (o.outcome == EspProbeOutcome::silent) facts_.forget(F::probe_esp_rejected);
  if (o.outcome != EspProbeOutcome::refused) return;
  if (o.reason == RefusalReason::prohibited || o.reason == RefusalReason::protocol_unreachable ||
      o.reason == RefusalReason::port_unreachable) {
    facts_.affirm(F::probe_esp_rejected, o.at, Confidence::confirmed, describe_esp_refusal(o));
  }
}

namespace {

// What an OpenVPN client loses while it is not connected, or while something else keeps a host from answering, is no
// loss of its line; and the window of its echoes remembers it for that long.
bool client_was_out(const Facts& facts, Duration window, TimePoint now) {
  constexpr FactId kOutages[] = {FactId::inner_host_blocked, FactId::inner_subnet_blocked, FactId::private_route_absent,
                                 FactId::private_route_elsewhere};
  if (!facts.is(FactId::of_openvpn)) return false;
  if (!facts.is(FactId::client_link_up) || now - facts[FactId::client_link_up].since < window) return true;
  return std::any_of(std::begin(kOutages), std::end(kOutages), [&](FactId id) {
    return facts.is(id) || (facts.is_not(id) && now - facts.denied_since(id) < window);
  });
}

}  // namespace

bool ProbeEvidence::loses(const active::EchoWindow& w) const {
  return w.in_service_lost >= kFewestLosses && w.in_service_loss.lower > loss_.loss_ratio;
}

void ProbeEvidence::judge_loss(FactId fact, std::string_view target, const active::EchoWindow& w, TimePoint now) {
  if (w.in_service == 0) return;
  // Loss begins where even the lower bound is above the threshold and ends where the ratio itself is below the other.
  if (loses(w)) {
    facts_.affirm(fact, now, Confidence::likely, describe_loss(target, w));
  } else if (ratio_of(w) <= loss_.clear_ratio && w.in_service >= kFewestEchoes) {
    facts_.deny(fact, now);
  }
}

void ProbeEvidence::on_gateway_echo(std::string_view target, const active::EchoWindow& w, TimePoint now) {
  if (w.consecutive_losses == 0 && w.last_reply) {
    facts_.affirm(F::gateway_answers_echo, now, Confidence::confirmed,
                  {"the peer's address answers ICMP echo", "对端地址应答 ICMP 请求"});
    facts_.deny(F::gateway_silent, now);
  } else if (w.consecutive_losses >= kSilentEchoes) {
    facts_.deny(F::gateway_answers_echo, now);
    if (w.last_reply)
      facts_.affirm(F::gateway_silent, now, Confidence::likely, describe_echo_silence(target, w.consecutive_losses));
  }
  judge_loss(F::gateway_loses, target, w, now);
  note_outside(now);
}

// What the way outside lost, the tunnel lost too, and its window may hold it for longer.
void ProbeEvidence::note_outside(TimePoint now) {
  if (facts_.is(F::gateway_loses) || facts_.is(F::references_lose)) {
    outside_lost_ = now;
    if (!facts_.is(F::outside_lost_lately)) {
      facts_.affirm(F::outside_lost_lately, now, Confidence::confirmed,
                    {"the way to the gateway lost packets a moment ago", "到网关的路径刚才丢包"});
    }
  } else if (outside_lost_ && now - *outside_lost_ > loss_.window) {
    outside_lost_.reset();
    facts_.deny(F::outside_lost_lately, now);
  }
}

void ProbeEvidence::on_reference_echo(std::string_view target, const active::EchoWindow& w, TimePoint now, bool first,
                                      bool last) {
  if (first) reference_lossy_ = reference_clean_ = false;
  if (loses(w)) {
    reference_lossy_ = true;
    reference_text_ = describe_loss(target, w);
  } else if (w.in_service >= kFewestEchoes && (!facts_.is(F::references_lose) || ratio_of(w) <= loss_.clear_ratio)) {
    reference_clean_ = true;
  }
  if (!last) return;
  // One clean reference shows that the line itself is good; a reference that never answers shows nothing.
  if (reference_clean_) {
    facts_.deny(F::references_lose, now);
  } else if (reference_lossy_) {
    facts_.affirm(F::references_lose, now, Confidence::likely, reference_text_);
  }
}

void ProbeEvidence::on_inner_echo(std::string_view target, const active::EchoWindow& w, TimePoint now, bool first,
                                  bool last) {
  if (first) {
    inner_answers_ = false;
    inner_text_.reset();
  }
  if (w.consecutive_losses == 0 && w.last_reply) {
    inner_answers_ = true;
  } else if (w.consecutive_losses >= kSilentEchoes && w.last_reply) {
    inner_text_ = describe_echo_silence(target, w.consecutive_losses);
  }
  if (client_was_out(facts_, loss_.window, now)) {
    facts_.deny(F::inner_loses, now);
  } else {
    judge_loss(F::inner_loses, target, w, now);
  }
  if (!last) return;
  // One host that answers shows that the tunnel carries traffic; what ails the others is another matter.
  if (inner_answers_) {
    facts_.deny(F::inner_silent, now);
  } else if (inner_text_) {
    facts_.affirm(F::inner_silent, now, Confidence::likely, *inner_text_);
  }
}

void ProbeEvidence::forget() {
  for (const FactId fact :
       {F::gateway_answers_echo, F::gateway_silent, F::gateway_loses, F::references_lose, F::outside_lost_lately,
        F::inner_silent, F::inner_loses, F::probe_500_silent, F::probe_500_rejected, F::probe_500_answered,
        F::probe_4500_silent, F::probe_4500_rejected, F::probe_4500_answered, F::probe_esp_rejected}) {
    facts_.forget(fact);
  }
}

}  // namespace tunnelwatch::diagnosis
