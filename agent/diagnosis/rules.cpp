#include "agent/diagnosis/rules.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

namespace {

using F = FactId;
using enum Confidence;

// A tunnel over which traffic goes both ways denies what a stray message or a lost probe suggests.
bool works(const Facts& f) {
  return f.is(F::child_up) && f.is(F::ike_up) && !f.is(F::liveness_unanswered) && !f.is(F::esp_one_way);
}

const Rule kRules[] = {
    // The negotiation: what the other end said outweighs what it left unsaid.
    {Cause::proposal_mismatch_or_use_sm_in_ikev2,
     [](const Facts& f) { return f.is(F::sm_in_v2) && (f.is(F::proposal_refused) || f.is(F::init_unanswered)); },
     likely,
     {F::sm_in_v2, F::proposal_refused}},
    {Cause::phase1_proposal_mismatch,
     [](const Facts& f) { return f.is(F::proposal_refused); },
     confirmed,
     {F::proposal_refused}},
    {Cause::version_mismatch,
     [](const Facts& f) {
       return f.is(F::version_differs) && (f.is(F::connection_refused) || f.is(F::init_unanswered));
     },
     likely,
     {F::version_differs, F::connection_refused}},
    {Cause::phase1_proposal_mismatch,
     [](const Facts& f) { return f.is(F::connection_refused); },
     likely,
     {F::connection_refused}},
    {Cause::peer_address_mismatch,
     [](const Facts& f) { return f.is(F::connection_refused); },
     possible,
     {F::connection_refused}},
    {Cause::unsupported_version,
     [](const Facts& f) { return f.is(F::version_refused); },
     confirmed,
     {F::version_refused}},
    {Cause::responder_dh_mismatch,
     [](const Facts& f) { return f.is(F::group_unresolved); },
     likely,
     {F::group_unresolved}},
    {Cause::exchange_mode_mismatch, [](const Facts& f) { return f.is(F::mode_refused); }, likely, {F::mode_refused}},
    {Cause::critical_drop, [](const Facts& f) { return f.is(F::critical_refused); }, confirmed, {F::critical_refused}},
    {Cause::malformed_payload, [](const Facts& f) { return f.is(F::syntax_refused); }, likely, {F::syntax_refused}},
    {Cause::eap_authentication_fail, [](const Facts& f) { return f.is(F::eap_refused); }, likely, {F::eap_refused}},
    {Cause::eap_authentication_timeout,
     [](const Facts& f) { return f.is(F::eap_unanswered); },
     likely,
     {F::eap_unanswered}},
    {Cause::xauth_authentication_fail,
     [](const Facts& f) { return f.is(F::xauth_refused); },
     likely,
     {F::xauth_refused}},
    {Cause::xauth_authentication_timeout,
     [](const Facts& f) { return f.is(F::xauth_unanswered); },
     likely,
     {F::xauth_unanswered}},
    {Cause::authentication_fail,
     [](const Facts& f) { return f.is(F::auth_refused) || f.is(F::auth_refused_by_us); },
     confirmed,
     {F::auth_refused, F::auth_refused_by_us}},
    {Cause::phase2_proposal_or_pfs_mismatch,
     [](const Facts& f) { return f.is(F::child_refused) || f.is(F::rekey_refused); },
     likely,
     {F::child_refused, F::rekey_refused}},
    // Torn down, or about to be.
    {Cause::dpd_timeout,
     [](const Facts& f) { return f.is(F::liveness_unanswered); },
     likely,
     {F::liveness_unanswered, F::gateway_silent, F::peer_unreachable}},
    {Cause::dpd_timeout, [](const Facts& f) { return f.is(F::local_unresponsive); }, possible, {F::local_unresponsive}},
    {Cause::dpd_timeout,
     [](const Facts& f) { return f.is(F::liveness_waits) && (f.is(F::gateway_silent) || f.is(F::inner_silent)); },
     likely,
     {F::liveness_waits, F::gateway_silent, F::inner_silent, F::peer_unreachable}},
    // A peer that fell silent under a standing SA, seen by our own probes before its liveness runs out.
    {Cause::dpd_timeout,
     [](const Facts& f) {
       return f.is(F::ike_up) && f.is(F::gateway_silent) && f.is(F::inner_silent) &&
              (f.is(F::probe_500_silent) || f.is(F::probe_4500_silent));
     },
     likely,
     {F::gateway_silent, F::inner_silent, F::probe_500_silent, F::probe_4500_silent}},
    {Cause::peer_request, [](const Facts& f) { return f.is(F::peer_deleted); }, confirmed, {F::peer_deleted}},
    // The path: a rejection names itself, silence needs something else that answers.
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return (f.is(F::ike_500_rejected) || f.is(F::probe_500_rejected)) && !works(f); },
     confirmed,
     {F::ike_500_rejected, F::probe_500_rejected, F::init_unanswered}},
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return f.is(F::probe_500_silent) && f.is(F::gateway_answers_echo) && !works(f); },
     likely,
     {F::probe_500_silent, F::gateway_answers_echo, F::init_unanswered}},
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return f.is(F::init_unanswered) && f.is(F::gateway_answers_echo); },
     likely,
     {F::init_unanswered, F::gateway_answers_echo}},
    {Cause::fragment_packet_reassemble_timeout,
     [](const Facts& f) { return f.is(F::auth_fragmented); },
     likely,
     {F::auth_fragmented}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::ike_4500_rejected) || f.is(F::probe_4500_rejected); },
     confirmed,
     {F::ike_4500_rejected, F::probe_4500_rejected, F::auth_unanswered_4500}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::auth_unanswered_4500) && !f.is(F::auth_fragmented); },
     likely,
     {F::auth_unanswered_4500, F::probe_4500_silent}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::auth_unanswered_4500) && f.is(F::auth_fragmented); },
     possible,
     {F::auth_unanswered_4500, F::probe_4500_silent}},
    {Cause::exchange_timeout,
     [](const Facts& f) { return f.is(F::init_unanswered) && !f.is(F::ike_500_rejected); },
     likely,
     {F::init_unanswered, F::peer_unreachable, F::probe_500_silent, F::gateway_silent}},
    {Cause::exchange_timeout,
     [](const Facts& f) { return f.is(F::auth_unanswered) || f.is(F::child_unanswered); },
     likely,
     {F::auth_unanswered, F::child_unanswered}},
    {Cause::exchange_timeout, [](const Facts& f) { return f.is(F::local_silent); }, possible, {F::local_silent}},
    {Cause::first_packet_limited,
     [](const Facts& f) { return f.is(F::cookie_repeated); },
     likely,
     {F::cookie_repeated}},
    {Cause::esp_blocked,
     [](const Facts& f) { return f.is(F::esp_rejected) && !f.is_not(F::inner_silent); },
     confirmed,
     {F::esp_rejected, F::esp_one_way}},
    {Cause::esp_blocked,
     [](const Facts& f) { return f.is(F::esp_one_way) && !f.is(F::liveness_unanswered); },
     likely,
     {F::esp_one_way, F::inner_silent}},
    {Cause::esp_blocked,
     [](const Facts& f) {
       return f.is(F::esp_unreturned) && f.is(F::inner_silent) && f.is(F::gateway_answers_echo) && f.is(F::child_up) &&
              !f.is(F::liveness_unanswered);
     },
     likely,
     {F::esp_unreturned, F::inner_silent, F::gateway_answers_echo}},
    // Loss: where it begins tells whose it is.
    {Cause::public_network_loss,
     [](const Facts& f) { return f.is(F::gateway_loses) && f.is(F::references_lose); },
     likely,
     {F::gateway_loses, F::references_lose}},
    {Cause::peer_path_loss,
     [](const Facts& f) { return f.is(F::gateway_loses) && f.is_not(F::references_lose); },
     likely,
     {F::gateway_loses}},
    {Cause::tunnel_only_loss,
     [](const Facts& f) { return f.is(F::inner_loses) && f.is_not(F::gateway_loses) && f.is_not(F::references_lose); },
     likely,
     {F::inner_loses}},
    // Findings.
    {Cause::gateway_behind_nat, [](const Facts& f) { return f.is(F::local_nat); }, confirmed, {F::local_nat}},
};

}  // namespace

std::span<const Rule> rules() { return kRules; }

std::vector<Finding> diagnose(const Facts& facts) {
  std::vector<Finding> findings;
  for (const Rule& rule : kRules) {
    if (!rule.when(facts)) continue;
    const bool told =
        std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.cause == rule.cause; });
    if (told) continue;
    Finding finding{rule.cause, rule.confidence, TimePoint::max(), TimePoint::min(), {}};
    bool first = true;
    for (const FactId id : rule.shown_by) {
      if (!facts.is(id)) continue;
      const Fact& fact = facts[id];
      // A finding is never surer than the fact that decides it.
      if (first) finding.confidence = std::min(finding.confidence, fact.confidence);
      first = false;
      finding.since = std::min(finding.since, fact.since);
      finding.last = std::max(finding.last, fact.last);
      if (std::none_of(finding.evidence.begin(), finding.evidence.end(),
                       [&](const Text& t) { return t.en == fact.evidence.en; })) {
        finding.evidence.push_back(fact.evidence);
      }
    }
    findings.push_back(std::move(finding));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.confidence > b.confidence; });
  return findings;
}

}  // namespace tunnelwatch::diagnosis
