#include "agent/diagnosis/evidence.h"

#include "agent/diagnosis/wording.h"

#include <initializer_list>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using passive::Certainty;
using passive::IkeObservation;
using passive::IkeSight;
using passive::Side;

namespace {

// A request counts as unanswered when it was sent three times, or twice over this long: one lost packet is no fault.
constexpr std::uint16_t kSendsForSilence = 3;
constexpr Duration kSilence = 2400ms;
// ESP that leaves without any coming back, before it is a fact.
constexpr std::uint64_t kOneWayPackets = 3;
constexpr std::uint64_t kUnreturnedPackets = 2;  // beside inner hosts that fell silent
constexpr Duration kOneWayAtOnce = 300ms;        // where none ever came back
constexpr Duration kOneWayLater = 2s;            // where some did before
// ESP this long behind a deletion belongs to a new SA.
constexpr Duration kAfterDeletion = 2s;
constexpr std::uint32_t kSilentProbes = 2;
constexpr std::uint32_t kSilentEchoes = 2;
// Fewer lost echoes than this are chance, whatever the ratio: two of twenty are no alarm yet.
constexpr std::uint64_t kFewestLosses = 3;
constexpr std::uint64_t kFewestEchoes = 10;

Confidence confidence_of(Certainty c) {
  switch (c) {
    case Certainty::possible:
      return Confidence::possible;
    case Certainty::likely:
      return Confidence::likely;
    case Certainty::certain:
      return Confidence::confirmed;
  }
  return Confidence::possible;
}

// What each sight shows not to be so. A row reads: having seen this, these are over.
struct Disproof {
  IkeSight sight;
  std::initializer_list<FactId> facts;
};

using F = FactId;
const Disproof kDisproofs[] = {
    // Any answer to a first message, a refusal too, shows that first messages pass both ways.
    {IkeSight::init_answered,
     {F::init_unanswered, F::local_silent, F::proposal_refused, F::connection_refused, F::version_refused,
      F::mode_refused, F::ike_500_rejected, F::peer_unreachable, F::critical_refused, F::syntax_refused,
      F::version_differs}},
    {IkeSight::proposal_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::connection_refused}},
    {IkeSight::connection_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::proposal_refused}},
    {IkeSight::cookie_challenged, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::group_refused,
     {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::proposal_refused, F::connection_refused}},
    {IkeSight::version_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::mode_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::clear_notify, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::auth_refused, {F::auth_unanswered, F::auth_unanswered_4500, F::auth_fragmented, F::ike_4500_rejected}},
    {IkeSight::ike_established,
     {F::init_unanswered,    F::local_silent,          F::proposal_refused,  F::connection_refused,
      F::group_unresolved,   F::version_refused,       F::version_differs,   F::mode_refused,
      F::mode_differs,       F::cookie_repeated,       F::malformed_seen,    F::syntax_refused,
      F::invalid_spi,        F::unknown_exchange_seen, F::critical_refused,  F::sm_in_v2,
      F::auth_unanswered,    F::auth_unanswered_4500,  F::auth_fragmented,   F::auth_refused,
      F::auth_refused_by_us, F::eap_refused,           F::eap_unanswered,    F::xauth_refused,
      F::xauth_unanswered,   F::liveness_unanswered,   F::liveness_waits,    F::local_unresponsive,
      F::peer_deleted,       F::ike_500_rejected,      F::ike_4500_rejected, F::peer_unreachable,
      F::esp_rejected,       F::esp_one_way,           F::esp_unreturned}},
    {IkeSight::ike_resumed_midway, {F::init_unanswered, F::auth_unanswered, F::auth_unanswered_4500}},
    {IkeSight::child_established,
     {F::child_refused, F::child_unanswered, F::rekey_refused, F::peer_deleted, F::esp_one_way, F::esp_unreturned}},
    {IkeSight::child_rekeyed, {F::child_refused, F::rekey_refused, F::liveness_unanswered, F::liveness_waits}},
    {IkeSight::ike_rekeyed, {F::rekey_refused, F::liveness_unanswered, F::liveness_waits, F::local_unresponsive}},
    {IkeSight::request_answered, {F::peer_unreachable, F::ike_4500_rejected}},
};

// Which fact a sight makes true, as it stands.
struct Proof {
  IkeSight sight;
  FactId fact;
};
constexpr Proof kProofs[] = {
    {IkeSight::proposal_refused, F::proposal_refused},
    {IkeSight::connection_refused, F::connection_refused},
    {IkeSight::version_refused, F::version_refused},
    {IkeSight::mode_refused, F::mode_refused},
    {IkeSight::unknown_exchange, F::unknown_exchange_seen},
    {IkeSight::critical_payload, F::critical_refused},
    {IkeSight::sm_offered, F::sm_in_v2},
    {IkeSight::eap_refused, F::eap_refused},
    {IkeSight::xauth_refused, F::xauth_refused},
    {IkeSight::child_refused, F::child_refused},
    {IkeSight::rekey_refused, F::rekey_refused},
    {IkeSight::malformed, F::malformed_seen},
};

}  // namespace

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::possible:
      return "possible";
    case Confidence::likely:
      return "likely";
    case Confidence::confirmed:
      return "confirmed";
  }
  return "possible";
}

void Evidence::deny_what_it_disproves(const IkeObservation& o) {
  for (const Disproof& d : kDisproofs) {
    if (d.sight != o.sight) continue;
    for (const FactId fact : d.facts) facts_.deny(fact, o.at);
  }
}

void Evidence::on_ike(const IkeObservation& o) {
  deny_what_it_disproves(o);
  const bool answer = o.sight == IkeSight::request_answered || o.sight == IkeSight::init_answered ||
                      o.sight == IkeSight::ike_established || o.sight == IkeSight::child_rekeyed;
  if (answer || (o.by == Side::remote && o.sight == IkeSight::request_unanswered)) peer_spoke_ = o.at;
  for (const Proof& p : kProofs) {
    if (p.sight == o.sight) facts_.affirm(p.fact, o.at, confidence_of(o.certainty), describe(o));
  }
  switch (o.sight) {
    case IkeSight::init_unanswered:
    case IkeSight::auth_unanswered:
    case IkeSight::eap_unanswered:
    case IkeSight::xauth_unanswered:
    case IkeSight::child_unanswered:
    case IkeSight::request_unanswered:
      on_unanswered(o);
      break;
    case IkeSight::negotiation_started:
      (o.by == Side::local ? version_local_ : version_remote_) = o.version;
      if (version_local_ != 0 && version_remote_ != 0 && version_local_ != version_remote_) {
        facts_.affirm(F::version_differs, o.at, Confidence::likely,
                      {"one end asks in IKEv1, the other in IKEv2", "一端以 IKEv1 发起，另一端以 IKEv2 发起"});
      }
      break;
    case IkeSight::cookie_challenged:
      if (++cookies_ >= 3) facts_.affirm(F::cookie_repeated, o.at, Confidence::likely, describe(o));
      break;
    case IkeSight::group_refused:
      if (++group_refusals_ >= 2) facts_.affirm(F::group_unresolved, o.at, Confidence::likely, describe(o));
      break;
    case IkeSight::clear_notify:
      switch (o.notify) {
        case 7:
        case 16:
          facts_.affirm(F::syntax_refused, o.at, Confidence::likely, describe(o));
          break;
        case 4:
        case 11:
          facts_.affirm(F::invalid_spi, o.at, Confidence::possible, describe(o));
          break;
        default:
          break;
      }
      break;
    case IkeSight::auth_refused:
      facts_.affirm(o.by == Side::local ? F::auth_refused_by_us : F::auth_refused, o.at, confidence_of(o.certainty),
                    describe(o));
      if (o.version == 1 && o.sends <= 1) facts_.affirm(F::mode_differs, o.at, Confidence::possible, describe(o));
      break;
    case IkeSight::ike_established:
      cookies_ = group_refusals_ = 0;
      version_local_ = version_remote_ = 0;
      facts_.affirm(F::ike_up, o.at, Confidence::confirmed, {"an IKE SA was established", "IKE SA 已建立"});
      break;
    case IkeSight::child_established:
      child_since_ = o.at;
      esp_in_ever_ = false;
      esp_out_.since_other = esp_in_.since_other = 0;
      [[fallthrough]];
    case IkeSight::child_rekeyed:
      facts_.affirm(F::child_up, o.at, Confidence::confirmed, {"an IPsec SA was established", "IPsec SA 已建立"});
      break;
    case IkeSight::request_answered:
      facts_.deny(o.by == Side::remote ? F::liveness_unanswered : F::local_unresponsive, o.at);
      if (o.by == Side::remote) facts_.deny(F::liveness_waits, o.at);
      break;
    case IkeSight::ike_ended:
      facts_.deny(F::ike_up, o.at);
      facts_.deny(F::child_up, o.at);
      break;
    case IkeSight::ike_resumed_midway:
      facts_.affirm(F::ike_up, o.at, Confidence::likely,
                    {"an IKE SA was there before the capture began", "抓包开始前已存在 IKE SA"});
      break;
    case IkeSight::ike_deleted:
      facts_.deny(F::ike_up, o.at);
      [[fallthrough]];
    case IkeSight::child_deleted:
      facts_.deny(F::child_up, o.at);
      facts_.deny(F::rekey_refused, o.at);
      child_since_.reset();
      if (o.by == Side::remote) {
        facts_.affirm(F::peer_deleted, o.at, confidence_of(o.certainty), describe(o));
      } else {
        facts_.deny(F::liveness_unanswered, o.at);
        facts_.deny(F::liveness_waits, o.at);
        facts_.deny(F::child_refused, o.at);
      }
      break;
    case IkeSight::nat_detected:
      if (o.local_nat) facts_.affirm(F::local_nat, o.at, Confidence::confirmed, describe(o));
      break;
    default:
      break;
  }
  judge_esp(o.at);
}

void Evidence::on_unanswered(const IkeObservation& o) {
  if (o.sight == IkeSight::request_unanswered && o.by == Side::local) {
    facts_.affirm(F::liveness_waits, o.at, Confidence::likely, describe(o));
  }
  const bool silence = o.sends >= kSendsForSilence || (o.sends >= 2 && o.at - o.since >= kSilence);
  if (!silence) return;
  const bool ours = o.by == Side::local;
  const Text text = describe(o);
  const auto affirm = [&](FactId fact) { facts_.affirm(fact, o.at, Confidence::likely, text); };
  switch (o.sight) {
    case IkeSight::init_unanswered:
      affirm(ours ? F::init_unanswered : F::local_silent);
      break;
    case IkeSight::auth_unanswered:
      if (!ours) break;
      affirm(o.port == 4500 ? F::auth_unanswered_4500 : F::auth_unanswered);
      if (o.fragmented) affirm(F::auth_fragmented);
      break;
    case IkeSight::eap_unanswered:
      affirm(F::eap_unanswered);
      break;
    case IkeSight::xauth_unanswered:
      affirm(F::xauth_unanswered);
      break;
    case IkeSight::child_unanswered:
      if (ours) affirm(F::child_unanswered);
      break;
    default:
      affirm(ours ? F::liveness_unanswered : F::local_unresponsive);
      break;
  }
}

void Evidence::on_esp(bool outbound, std::uint64_t packets, TimePoint at) {
  EspSide& mine = outbound ? esp_out_ : esp_in_;
  EspSide& opposite = outbound ? esp_in_ : esp_out_;
  if (mine.since_other == 0) mine.first_since = at;
  mine.since_other += packets;
  mine.last = at;
  opposite.since_other = 0;
  if (!outbound) {
    esp_in_ever_ = true;
    if (!child_since_) child_since_ = at;  // the capture began behind the negotiation
    facts_.deny(F::esp_one_way, at);
    facts_.deny(F::esp_unreturned, at);
    if (facts_.is(F::peer_deleted) && at - facts_[F::peer_deleted].last > kAfterDeletion)
      facts_.deny(F::peer_deleted, at);
    facts_.deny(F::esp_rejected, at);
    facts_.deny(F::peer_unreachable, at);
    facts_.deny(F::auth_unanswered_4500, at);
    facts_.deny(F::ike_4500_rejected, at);
  }
  judge_esp(at);
}

// Outbound ESP without any inbound is a fact only while the peer is known to live: else the whole path is suspect.
void Evidence::judge_esp(TimePoint now) {
  if (esp_out_.since_other < kUnreturnedPackets || !esp_out_.last || !child_since_) return;
  const Duration over = *esp_out_.last - esp_out_.first_since;
  if (over >= kOneWayAtOnce) {
    facts_.affirm(F::esp_unreturned, now, Confidence::likely,
                  describe_one_way(esp_out_.since_other, over, esp_in_ever_));
  }
  if (over < (esp_in_ever_ ? kOneWayLater : kOneWayAtOnce)) return;
  if (esp_out_.since_other < kOneWayPackets) return;
  // The peer's IKE spoke after the first ESP packet that went unanswered.
  if (!peer_spoke_ || *peer_spoke_ <= esp_out_.first_since + (esp_in_ever_ ? kOneWayAtOnce : Duration::zero())) return;
  const auto confidence = esp_in_ever_ ? Confidence::possible : Confidence::likely;
  facts_.affirm(F::esp_one_way, now, confidence, describe_one_way(esp_out_.since_other, over, esp_in_ever_));
}

void Evidence::on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, bool esp, std::uint16_t port,
                             TimePoint at) {
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

void Evidence::on_ike_probe(const IkeProbeObservation& o) {
  const bool is_4500 = o.port == 4500;
  ProbePort& port = is_4500 ? probe_4500_ : probe_500_;
  const FactId silent = is_4500 ? F::probe_4500_silent : F::probe_500_silent;
  const FactId rejected = is_4500 ? F::probe_4500_rejected : F::probe_500_rejected;
  switch (o.outcome) {
    case IkeProbeOutcome::answered:
      port.silent = 0;
      facts_.deny(silent, o.at);
      facts_.deny(rejected, o.at);
      peer_spoke_ = o.at;
      break;
    case IkeProbeOutcome::silent:
      if (++port.silent >= kSilentProbes)
        facts_.affirm(silent, o.at, Confidence::likely, describe_probe_silence(o.port, port.silent));
      break;
    case IkeProbeOutcome::refused:
      port.silent = 0;
      if (o.reason == RefusalReason::prohibited || o.reason == RefusalReason::port_unreachable) {
        facts_.affirm(rejected, o.at, Confidence::confirmed, describe_probe_rejection(o.port, o.reason, o.from));
      }
      break;
    case IkeProbeOutcome::send_error:
      break;
  }
}

bool Evidence::loses(const active::EchoWindow& w) const {
  return w.in_service_lost >= kFewestLosses && w.in_service_loss.lower > loss_.loss_ratio;
}

void Evidence::judge_loss(FactId fact, std::string_view target, const active::EchoWindow& w, TimePoint now) {
  if (w.in_service == 0) return;
  // Loss begins where even the lower bound is above the threshold and ends where the ratio itself is below the other.
  const double ratio = static_cast<double>(w.in_service_lost) / static_cast<double>(w.in_service);
  if (loses(w)) {
    facts_.affirm(fact, now, Confidence::likely, describe_loss(target, w));
  } else if (ratio <= loss_.clear_ratio && w.in_service >= kFewestEchoes) {
    facts_.deny(fact, now);
  }
}

void Evidence::on_gateway_echo(std::string_view target, const active::EchoWindow& w, TimePoint now) {
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
}

void Evidence::on_reference_echo(std::string_view target, const active::EchoWindow& w, TimePoint now, bool first,
                                 bool last) {
  if (first) reference_lossy_ = reference_clean_ = false;
  if (loses(w)) {
    reference_lossy_ = true;
    reference_text_ = describe_loss(target, w);
  } else if (w.in_service >= kFewestEchoes) {
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

void Evidence::on_inner_echo(std::string_view target, const active::EchoWindow& w, TimePoint now, bool first,
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
  judge_loss(F::inner_loses, target, w, now);
  if (!last) return;
  // One host that answers shows that the tunnel carries traffic; what ails the others is another matter.
  if (inner_answers_) {
    facts_.deny(F::inner_silent, now);
  } else if (inner_text_) {
    facts_.affirm(F::inner_silent, now, Confidence::likely, *inner_text_);
  }
}

void Evidence::forget_probes() {
  for (const FactId fact :
       {F::gateway_answers_echo, F::gateway_silent, F::gateway_loses, F::references_lose, F::inner_silent,
        F::inner_loses, F::probe_500_silent, F::probe_500_rejected, F::probe_4500_silent, F::probe_4500_rejected}) {
    facts_.forget(fact);
  }
}

void Evidence::advance(TimePoint now) { judge_esp(now); }

bool Evidence::waits() const { return esp_out_.since_other >= kUnreturnedPackets && esp_out_.last && child_since_; }

bool Evidence::wants_probe() const {
  return facts_.is(F::init_unanswered) || facts_.is(F::auth_unanswered_4500) || facts_.is(F::liveness_unanswered) ||
         facts_.is(F::gateway_silent) || facts_.is(F::inner_silent) || facts_.is(F::esp_unreturned) ||
         facts_.is(F::ike_500_rejected) || facts_.is(F::peer_unreachable) || probe_500_.silent == 1 ||
         probe_4500_.silent == 1;
}

}  // namespace tunnelwatch::diagnosis
