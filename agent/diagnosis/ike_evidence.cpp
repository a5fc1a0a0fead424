#include "agent/diagnosis/ike_evidence.h"

#include "agent/diagnosis/wording.h"
#include "probes/wire/ike.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using passive::Certainty;
using passive::IkeFault;
using passive::IkeObservation;
using passive::IkeSight;
using passive::Side;
using F = FactId;

namespace {

// A request counts as unanswered when it was sent three times, or twice over this long: one lost packet is no fault.
constexpr std::uint16_t kSendsForSilence = 3;
constexpr Duration kSilence = 2400ms;
// Where the way loses packets, that few are lost by chance.
constexpr std::uint16_t kSendsForSilenceOnLoss = 4;
// ESP this long behind a deletion belongs to a new SA.
constexpr Duration kAfterDeletion = 2s;
// Normal once, a cause when it goes on.
constexpr std::uint32_t kCookies = 3;
constexpr std::uint32_t kGroupRefusals = 2;
constexpr std::size_t kReplacements = 3;
constexpr Duration kReplacementWindow = 10min;

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

const Disproof kDisproofs[] = {
    // Any answer to a first message, a refusal too, shows that first messages pass both ways.
    {IkeSight::init_answered,
     {F::init_unanswered, F::local_silent, F::proposal_refused, F::connection_refused, F::version_refused,
      F::mode_refused, F::ike_500_rejected, F::peer_unreachable, F::critical_refused, F::syntax_refused,
      F::cookie_repeated, F::payload_refused, F::version_differs, F::group_not_offered, F::group_not_retried,
      F::group_unresolved, F::group_inconsistent}},
    {IkeSight::proposal_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::connection_refused}},
    {IkeSight::connection_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::proposal_refused}},
    {IkeSight::cookie_challenged, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::group_refused,
     {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable, F::proposal_refused, F::connection_refused}},
    {IkeSight::group_retried, {F::group_not_retried, F::group_not_offered}},
    {IkeSight::version_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::version_crossed, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::mode_refused, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::clear_notify, {F::init_unanswered, F::ike_500_rejected, F::peer_unreachable}},
    {IkeSight::auth_refused, {F::auth_unanswered, F::auth_unanswered_4500, F::auth_fragmented, F::ike_4500_rejected}},
    {IkeSight::ike_established,
     {F::init_unanswered,
      F::local_silent,
      F::proposal_refused,
      F::connection_refused,
      F::group_unresolved,
      F::group_not_offered,
      F::group_not_retried,
      F::group_inconsistent,
      F::version_refused,
      F::version_differs,
      F::version_odd,
      F::mode_refused,
      F::mode_differs,
      F::cookie_repeated,
      F::cookie_pair_changed,
      F::invalid_cookie,
      F::invalid_spi,
      F::message_malformed,
      F::payload_malformed,
      F::length_wrong,
      F::syntax_refused,
      F::payload_refused,
      F::unknown_exchange_seen,
      F::critical_refused,
      F::uncritical_seen,
      F::sm_in_v2,
      F::fragments_excessive,
      F::fragments_incomplete,
      F::auth_unanswered,
      F::auth_unanswered_4500,
      F::auth_fragmented,
      F::auth_refused,
      F::auth_refused_by_us,
      F::auth_by_key,
      F::auth_by_certificate,
      F::auth_unreadable,
      F::eap_refused,
      F::eap_unanswered,
      F::xauth_refused,
      F::xauth_unanswered,
      F::liveness_unanswered,
      F::liveness_waits,
      F::local_unresponsive,
      F::rekey_unanswered,
      F::peer_deleted,
      F::local_deleted,
      F::peer_elsewhere,
      F::ike_500_rejected,
      F::ike_4500_rejected,
      F::peer_unreachable,
      F::esp_rejected,
      F::esp_one_way,
      F::esp_unreturned,
      F::port_changed,
      F::orphaned}},
    {IkeSight::ike_lives_on,
     {F::auth_refused, F::auth_refused_by_us, F::auth_by_key, F::auth_by_certificate, F::eap_refused, F::peer_deleted,
      F::local_deleted}},
    {IkeSight::ike_resumed_midway, {F::init_unanswered, F::auth_unanswered, F::auth_unanswered_4500}},
    {IkeSight::child_established,
     {F::xauth_refused, F::xauth_unanswered, F::child_refused, F::child_unanswered, F::rekey_refused,
      F::rekey_unknown_sa, F::peer_deleted, F::local_deleted, F::esp_one_way, F::esp_unreturned, F::orphaned}},
    {IkeSight::child_rekeyed,
     {F::child_refused, F::rekey_refused, F::rekey_unknown_sa, F::rekey_unanswered, F::liveness_unanswered,
      F::liveness_waits}},
    {IkeSight::ike_rekeyed,
     {F::rekey_refused, F::rekey_unanswered, F::liveness_unanswered, F::liveness_waits, F::local_unresponsive}},
    {IkeSight::request_answered, {F::peer_unreachable, F::ike_4500_rejected}},
    {IkeSight::nat_gone, {F::local_nat, F::remote_nat}},
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
    {IkeSight::version_crossed, F::version_differs},
    {IkeSight::version_odd, F::version_odd},
    {IkeSight::mode_refused, F::mode_refused},
    {IkeSight::spi_changed, F::cookie_pair_changed},
    {IkeSight::answered_elsewhere, F::peer_elsewhere},
    {IkeSight::unknown_exchange, F::unknown_exchange_seen},
    {IkeSight::critical_payload, F::critical_refused},
    {IkeSight::uncritical_payload, F::uncritical_seen},
    {IkeSight::many_fragments, F::fragments_excessive},
    {IkeSight::sm_offered, F::sm_in_v2},
    {IkeSight::eap_refused, F::eap_refused},
    {IkeSight::xauth_refused, F::xauth_refused},
    {IkeSight::child_refused, F::child_refused},
    {IkeSight::rekey_refused, F::rekey_refused},
    {IkeSight::rekey_unknown, F::rekey_unknown_sa},
};

// What an error notify in clear is evidence of, by version; what is not here has a sight of its own or says nothing.
struct NotifyProof {
  std::uint8_t version;
  std::uint16_t notify;
  FactId fact;
};
constexpr NotifyProof kNotifyProofs[] = {
    {1, 1, F::payload_refused},         // INVALID_PAYLOAD_TYPE
    {1, 4, F::invalid_cookie},          // INVALID_COOKIE
    {1, 7, F::unknown_exchange_seen},   // INVALID_EXCHANGE_TYPE
    {1, 11, F::invalid_spi},            // INVALID_SPI
    {1, 15, F::payload_refused},        // BAD_PROPOSAL_SYNTAX
    {1, 16, F::payload_refused},        // PAYLOAD_MALFORMED
    {1, 29, F::unknown_exchange_seen},  // UNSUPPORTED_EXCHANGE_TYPE
    {1, 30, F::length_wrong},           // UNEQUAL_PAYLOAD_LENGTHS
    {2, 4, F::invalid_cookie},          // INVALID_IKE_SPI
    {2, 7, F::syntax_refused},          // INVALID_SYNTAX
    {2, 11, F::invalid_spi},            // INVALID_SPI
};

}  // namespace

bool IkeEvidence::Repetition::happened(TimePoint at, std::size_t count, Duration window) {
  times_[next_ % kKept] = at;
  ++next_;
  filled_ = std::min(filled_ + 1, kKept);
  return filled_ >= count && at - times_[(next_ - count) % kKept] <= window;
}

void IkeEvidence::deny_what_it_disproves(const IkeObservation& o) {
  for (const Disproof& d : kDisproofs) {
    if (d.sight != o.sight) continue;
    for (const FactId fact : d.facts) facts_.deny(fact, o.at);
  }
}

void IkeEvidence::on_observation(const IkeObservation& o) {
  deny_what_it_disproves(o);
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
      return on_unanswered(o);
    case IkeSight::clear_notify:
      return on_clear_notify(o);
    case IkeSight::negotiation_started:
    case IkeSight::cookie_challenged:
    case IkeSight::group_refused:
    case IkeSight::group_abandoned:
    case IkeSight::group_inconsistent:
    case IkeSight::auth_refused:
    case IkeSight::malformed:
    case IkeSight::nat_detected:
      return on_refusal(o);
    default:
      return on_life(o);
  }
}

void IkeEvidence::on_unanswered(const IkeObservation& o) {
  const bool ours = o.by == Side::local;
  // Who answers what is asked later, under another SA, is there: the SA that stays silent is one that only we still
  // have.
  if (o.sight == IkeSight::request_unanswered && answered_[ours ? 1 : 0] > o.since) return;
  const bool waits = o.sight == IkeSight::request_unanswered && ours;
  const bool lossy = facts_.is(F::gateway_loses) || facts_.is(F::references_lose);
  const bool silence = lossy ? o.sends >= kSendsForSilenceOnLoss
                             : o.sends >= kSendsForSilence || (o.sends >= 2 && o.at - o.since >= kSilence);
  if (!waits && !silence) return;
  const Text text = describe(o);
  if (waits) facts_.affirm(F::liveness_waits, o.at, Confidence::likely, text);
  if (!silence) return;
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
      if (ours && o.exchange == wire::create_child_sa) affirm(F::rekey_unanswered);
      affirm(ours ? F::liveness_unanswered : F::local_unresponsive);
      break;
  }
}

void IkeEvidence::on_clear_notify(const IkeObservation& o) {
  for (const NotifyProof& p : kNotifyProofs) {
    if (p.version != o.version || p.notify != o.notify) continue;
    facts_.affirm(p.fact, o.at, confidence_of(o.certainty), describe(o));
  }
}

void IkeEvidence::on_refusal(const IkeObservation& o) {
  const auto affirm = [&](FactId fact, Confidence confidence) { facts_.affirm(fact, o.at, confidence, describe(o)); };
  const bool ours = o.by == Side::local;
  switch (o.sight) {
    case IkeSight::negotiation_started:
      asker_ = o.by;
      (ours ? version_local_ : version_remote_) = o.version;
      if (version_local_ != 0 && version_remote_ != 0 && version_local_ != version_remote_) {
        facts_.affirm(F::version_differs, o.at, Confidence::likely,
                      {"one end asks in IKEv1, the other in IKEv2", "一端以 IKEv1 发起，另一端以 IKEv2 发起"});
      }
      break;
    case IkeSight::cookie_challenged:
      if (++cookies_ >= kCookies) affirm(F::cookie_repeated, Confidence::likely);
      break;
    case IkeSight::group_refused:
      if (++group_refusals_ >= kGroupRefusals) affirm(F::group_unresolved, Confidence::likely);
      break;
    case IkeSight::group_abandoned:
      if (!o.offered) {
        affirm(F::group_not_offered, Confidence::likely);
      } else {
        affirm(ours ? F::group_not_retried : F::group_unresolved, Confidence::likely);
      }
      break;
    case IkeSight::group_inconsistent:
      if (ours) affirm(F::group_inconsistent, Confidence::likely);
      break;
    case IkeSight::auth_refused:
      affirm(ours ? F::auth_refused_by_us : F::auth_refused, confidence_of(o.certainty));
      if (o.version == 1 && o.sends > 1) affirm(F::auth_unreadable, Confidence::likely);
      if (o.version == 1 && o.sends <= 1) affirm(F::mode_differs, Confidence::possible);
      affirm(o.certificate ? F::auth_by_certificate : F::auth_by_key, Confidence::possible);
      facts_.deny(o.certificate ? F::auth_by_key : F::auth_by_certificate, o.at);
      break;
    case IkeSight::malformed:
      affirm(o.fault == IkeFault::length    ? F::length_wrong
             : o.fault == IkeFault::payload ? F::payload_malformed
                                            : F::message_malformed,
             Confidence::likely);
      break;
    case IkeSight::nat_detected:
      for (const auto& [seen, fact] : {std::pair{o.local_nat, F::local_nat}, std::pair{o.remote_nat, F::remote_nat}}) {
        if (seen) affirm(fact, Confidence::confirmed);
        if (!seen && facts_.is(fact)) facts_.deny(fact, o.at);
      }
      break;
    default:
      break;
  }
}

void IkeEvidence::on_life(const IkeObservation& o) {
  const auto often = [&](Repetition& r, FactId fact) {
    if (r.happened(o.at, kReplacements, kReplacementWindow)) facts_.affirm(fact, o.at, Confidence::likely, describe(o));
  };
  switch (o.sight) {
    case IkeSight::init_answered:
      cookies_ = group_refusals_ = 0;  // they led on
      break;
    case IkeSight::ike_established:
      version_local_ = version_remote_ = 0;
      facts_.affirm(F::ike_up, o.at, Confidence::confirmed, {"an IKE SA was established", "IKE SA 已建立"});
      break;
    case IkeSight::child_established:
    case IkeSight::child_rekeyed:
      facts_.affirm(F::child_up, o.at, Confidence::confirmed, {"an IPsec SA was established", "IPsec SA 已建立"});
      break;
    case IkeSight::request_answered:
      answered_[o.by == Side::local ? 0 : 1] = o.at;
      facts_.deny(o.by == Side::remote ? F::liveness_unanswered : F::local_unresponsive, o.at);
      if (o.by == Side::remote) facts_.deny(F::liveness_waits, o.at);
      if (o.by == Side::remote && o.exchange == wire::create_child_sa) facts_.deny(F::rekey_unanswered, o.at);
      break;
    case IkeSight::ike_lives_on:
      facts_.affirm(F::ike_up, o.at, Confidence::likely, {"the IKE SA is still in use", "IKE SA 仍在使用"});
      break;
    case IkeSight::ike_ended:
      facts_.deny(F::ike_up, o.at);
      facts_.deny(F::child_up, o.at);
      break;
    case IkeSight::ike_resumed_midway:
      facts_.affirm(F::ike_up, o.at, Confidence::likely,
                    {"an IKE SA was there before the capture began", "抓包开始前已存在 IKE SA"});
      break;
    case IkeSight::ike_replaced:
      often(ike_replacements_, F::ike_replaced_often);
      break;
    case IkeSight::ike_kicked:
      often(kicks_, F::old_sa_kicked);
      break;
    case IkeSight::child_replaced:
      often(child_replacements_, F::child_replaced_often);
      break;
    case IkeSight::ike_deleted:
      facts_.deny(F::ike_up, o.at);
      [[fallthrough]];
    case IkeSight::child_deleted:
      if (facts_.is(F::child_refused)) break;  // what never worked is cleared away, and that is why
      facts_.deny(F::child_up, o.at);
      facts_.deny(F::rekey_refused, o.at);
      facts_.deny(F::rekey_unknown_sa, o.at);
      facts_.affirm(o.by == Side::remote ? F::peer_deleted : F::local_deleted, o.at, confidence_of(o.certainty),
                    describe(o));
      if (o.by == Side::remote) break;
      for (const F fact : {F::liveness_unanswered, F::liveness_waits, F::rekey_unanswered}) facts_.deny(fact, o.at);
      break;
    default:
      break;
  }
}

void IkeEvidence::on_inbound_esp(TimePoint at) {
  if (facts_.is(F::peer_deleted) && at - facts_[F::peer_deleted].last > kAfterDeletion)
    facts_.deny(F::peer_deleted, at);
  for (const F fact : {F::peer_unreachable, F::auth_unanswered_4500, F::ike_4500_rejected}) facts_.deny(fact, at);
}

}  // namespace tunnelwatch::diagnosis
