#include "agent/diagnosis/rules.h"

#include "agent/diagnosis/log_findings.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

namespace {

using F = FactId;
using enum Confidence;

// A tunnel over which traffic goes both ways denies what a stray message or a lost probe suggests.
bool works(const Facts& f) {
  return f.is(F::child_up) && f.is(F::ike_up) && !f.is(F::liveness_unanswered) && !f.is(F::esp_one_way);
}

bool auth_refused(const Facts& f) { return f.is(F::auth_refused) || f.is(F::auth_refused_by_us); }

bool natted(const Facts& f) { return f.is(F::local_nat) || f.is(F::remote_nat); }

// Our probes got an answer on 500 while the daemon's own first messages went without: an older answer says nothing.
bool probes_pass_500(const Facts& f) {
  return f.is(F::init_unanswered) && f.is(F::probe_500_answered) &&
         f[F::probe_500_answered].last > f[F::init_unanswered].since;
}

// A line that is well used loses nothing, and loss on an idle line is another's. What its own queue drops is loss
// before anything could be another's.
bool line_is_full(const Facts& f) {
  const bool echoes_lost = f.is(F::gateway_loses) || f.is(F::references_lose) || f.is(F::inner_loses);
  return (f.is(F::line_drops) && (echoes_lost || f.is(F::line_rate_high))) ||
         (f.is(F::line_rate_high) && (f.is(F::line_queues) || echoes_lost || f.is(F::esp_in_loses)));
}

// Shorthands for the many rows that are one fact, or one fact while the tunnel does not work.
template <F fact>
bool is(const Facts& f) {
  return f.is(fact);
}
template <F fact>
bool is_and_stuck(const Facts& f) {
  return f.is(fact) && !works(f);
}

// Its negotiation fails, or did until it was given up: what is wrong then is not what leaves without it.
bool fails_to_come_up(const Facts& f) {
  constexpr F kFailures[] = {
      F::init_unanswered,     F::local_silent,         F::proposal_refused, F::connection_refused,
      F::group_unresolved,    F::version_refused,      F::version_differs,  F::mode_refused,
      F::auth_unanswered,     F::auth_unanswered_4500, F::auth_refused,     F::auth_refused_by_us,
      F::eap_refused,         F::eap_unanswered,       F::xauth_refused,    F::xauth_unanswered,
      F::child_refused,       F::child_unanswered,     F::ike_500_rejected, F::ike_4500_rejected,
      F::liveness_unanswered, F::peer_deleted,         F::peer_unreachable, F::cookie_repeated};
  return f.is_not(F::child_up) || f.is_not(F::ike_up) ||
         std::any_of(std::begin(kFailures), std::end(kFailures), [&](F id) { return f.is(id); });
}

// As far as anybody looked: neither does it lose now, nor did it within the window that losses inside are counted in.
bool way_outside_is_well(const Facts& f) {
  return !f.is(F::gateway_loses) && !f.is(F::references_lose) && !f.is(F::outside_lost_lately);
}

// What this machine's own tables say is a cause where the tunnel is in trouble: another table, by a mark that we do not
// know of, may lead packets all the same.
template <F fact>
bool is_in_trouble(const Facts& f) {
  return f.is(fact) && (!works(f) || f.is(F::gateway_silent) || f.is(F::inner_silent) || f.is(F::liveness_waits));
}

constexpr Duration kSettled = std::chrono::seconds(2);

// What a change of the configuration passes through is no fault.
template <F fact>
bool lasts(const Facts& f) {
  return f.is(fact) && f[fact].last > f[fact].since + kSettled;
}

// Routes come and go with a tunnel: what is missing must still be so some time after it stands.
template <F fact>
bool lasts_while_up(const Facts& f) {
  return f.is(F::child_up) && f.is(fact) && f[fact].last > f[F::child_up].since + kSettled &&
         f[fact].last > f[fact].since + kSettled;
}

// An OpenVPN client pushes its routes after its interface stands.
template <F fact>
bool client_lacks(const Facts& f) {
  return f.is(F::of_openvpn) && f.is(F::client_link_up) && f.is(fact) &&
         f[fact].last > f[F::client_link_up].since + kSettled && f[fact].last > f[fact].since + kSettled;
}

// Silence, and not what is left of it for a moment after the route has come back.
template <F... silences>
bool silent_behind_a_route(const Facts& f) {
  const auto stands_for_long = [&](F route, F silence) {
    return !f.is(route) && !(f.is_not(route) && f[silence].last <= f.denied_since(route) + kSettled);
  };
  const auto counts = [&](F silence) {
    return f.is(silence) && stands_for_long(F::private_route_absent, silence) &&
           stands_for_long(F::private_route_elsewhere, silence);
  };
  return (counts(silences) || ...);
}

bool inside_suffers(const Facts& f) { return f.is(F::inner_silent) || f.is(F::inner_loses); }

// One of the lines that the kernel shares out to is not the one that is configured.
bool leaves_the_line(const Facts& f) {
  return lasts<F::route_shared_out>(f) && f[F::route_shared_out].confidence != possible;
}

// The kernel drops what the peer sends. Where it does not serve the peer otherwise, user space may take it after all.
bool spi_is_nobodys(const Facts& f) {
  return lasts<F::spi_without_state>(f) && (f[F::spi_without_state].confidence != possible || !works(f));
}

// ... and no child was made since.
bool child_ran_out(const Facts& f) {
  return f.is(F::sa_expired) && !(f.is(F::child_up) && f[F::child_up].since > f[F::sa_expired].last);
}

const Rule kRules[] = {
    // What this machine's own tables say needs no guess.
    {Cause::public_route_missing,
     is_in_trouble<F::public_route_absent>,
     confirmed,
     {F::public_route_absent, F::init_unanswered, F::liveness_unanswered}},
    {Cause::route_next_hop_is_peer, is_in_trouble<F::route_via_peer>, likely, {F::route_via_peer, F::next_hop_failed}},
    {Cause::route_interface_without_next_hop, is_in_trouble<F::route_on_link>, likely, {F::route_on_link}},
    {Cause::next_hop_unresolved, is_in_trouble<F::next_hop_failed>, likely, {F::next_hop_failed, F::gateway_silent}},
    {Cause::route_prefix_mismatch, is<F::route_partial>, likely, {F::route_partial}},
    {Cause::private_route_missing, lasts_while_up<F::private_route_absent>, likely, {F::private_route_absent}},
    {Cause::private_route_missing, lasts_while_up<F::private_route_elsewhere>, likely, {F::private_route_elsewhere}},
    {Cause::no_policy_applied_on_interface,
     lasts<F::policy_absent>,
     likely,
     {F::policy_absent, F::leaves_in_clear, F::child_refused}},
    {Cause::flow_conflict, lasts<F::policy_conflict>, likely, {F::policy_conflict}},
    {Cause::flow_overlap, is_in_trouble<F::peer_inside_policy>, likely, {F::peer_inside_policy, F::gateway_silent}},
    {Cause::encapsulation_mode_mismatch,
     is<F::sa_mode_differs>,
     likely,
     {F::sa_mode_differs, F::daemon_transport_mode, F::child_refused}},
    {Cause::phase2_hard_expiry, child_ran_out, likely, {F::sa_expired, F::rekey_refused, F::rekey_unanswered}},
    // The negotiation: what the other end said outweighs what it left unsaid.
    {Cause::proposal_mismatch_or_use_sm_in_ikev2,
     [](const Facts& f) { return f.is(F::sm_in_v2) && (f.is(F::proposal_refused) || f.is(F::init_unanswered)); },
     likely,
     {F::sm_in_v2, F::proposal_refused}},
    {Cause::initiator_dh_mismatch,
     [](const Facts& f) {
       return f.is(F::group_inconsistent) &&
              (f.is(F::proposal_refused) || f.is(F::syntax_refused) || f.is(F::group_unresolved));
     },
     likely,
     {F::group_inconsistent, F::proposal_refused, F::syntax_refused, F::group_unresolved}},
    {Cause::phase1_proposal_mismatch,
     is_and_stuck<F::proposal_refused>,
     confirmed,
     {F::proposal_refused, F::offers_differ, F::local_offer_alone, F::remote_offer_alone, F::local_offer_departs,
      F::remote_offer_departs}},
    {Cause::version_mismatch,
     [](const Facts& f) {
       return f.is(F::version_differs) && !works(f) &&
              (f.is(F::connection_refused) || f.is(F::init_unanswered) || f.is(F::local_silent) ||
               f.is(F::version_refused) || f.is(F::proposal_refused));
     },
     likely,
     {F::version_differs, F::connection_refused, F::version_refused, F::init_unanswered}},
    {Cause::phase1_proposal_mismatch,
     is_and_stuck<F::connection_refused>,
     likely,
     {F::connection_refused, F::offers_differ, F::local_offer_alone, F::remote_offer_alone, F::local_offer_departs,
      F::remote_offer_departs}},
    {Cause::peer_address_mismatch, is_and_stuck<F::peer_elsewhere>, likely, {F::peer_elsewhere, F::init_unanswered}},
    // Mixed up: each end's address where the other's belongs.
    {Cause::gateway_address_not_mirrored,
     [](const Facts& f) { return is_in_trouble<F::remote_address_here>(f) && f.is(F::local_address_absent); },
     likely,
     {F::remote_address_here, F::local_address_absent}},
    {Cause::peer_address_mismatch,
     is_in_trouble<F::remote_address_here>,
     likely,
     {F::remote_address_here, F::init_unanswered}},
    {Cause::gateway_address_not_mirrored, is_and_stuck<F::peer_elsewhere>, possible, {F::peer_elsewhere}},
    {Cause::public_address_translated_again, is<F::source_translated>, likely, {F::source_translated}},
    {Cause::local_address_mismatch,
     [](const Facts& f) { return f.is(F::local_elsewhere) && !f.is(F::source_translated); },
     likely,
     {F::local_elsewhere}},
    {Cause::local_address_mismatch,
     is_in_trouble<F::local_address_absent>,
     likely,
     {F::local_address_absent, F::init_unanswered}},
    {Cause::gateway_address_not_mirrored, is_and_stuck<F::local_elsewhere>, possible, {F::local_elsewhere}},
    {Cause::unsupported_version, is<F::version_refused>, confirmed, {F::version_refused}},
    {Cause::unsupported_version, is_and_stuck<F::version_odd>, likely, {F::version_odd}},
    {Cause::responder_dh_mismatch, is<F::group_not_offered>, likely, {F::group_not_offered}},
    {Cause::initiator_dh_mismatch, is<F::group_not_retried>, likely, {F::group_not_retried}},
    {Cause::responder_dh_mismatch, is<F::group_unresolved>, likely, {F::group_unresolved}},
    {Cause::exchange_mode_mismatch, is<F::mode_refused>, likely, {F::mode_refused}},
    {Cause::critical_drop, is<F::critical_refused>, confirmed, {F::critical_refused}},
    {Cause::unknown_exchange_type, is_and_stuck<F::unknown_exchange_seen>, likely, {F::unknown_exchange_seen}},
    {Cause::cookie_mismatch, is_and_stuck<F::cookie_pair_changed>, likely, {F::cookie_pair_changed}},
    {Cause::invalid_cookie, is_and_stuck<F::invalid_cookie>, likely, {F::invalid_cookie, F::daemon_unknown_spis}},
    {Cause::receive_invalid_spi_notify, spi_is_nobodys, likely, {F::spi_without_state, F::invalid_spi}},
    {Cause::receive_invalid_spi_notify, is_and_stuck<F::invalid_spi>, likely, {F::invalid_spi}},
    {Cause::invalid_length, is_and_stuck<F::length_wrong>, likely, {F::length_wrong}},
    {Cause::malformed_message,
     [](const Facts& f) { return (f.is(F::syntax_refused) || f.is(F::message_malformed)) && !works(f); },
     likely,
     {F::syntax_refused, F::message_malformed}},
    {Cause::malformed_payload,
     [](const Facts& f) { return (f.is(F::payload_refused) || f.is(F::payload_malformed)) && !works(f); },
     likely,
     {F::payload_refused, F::payload_malformed}},
    {Cause::uncritical_drop,
     [](const Facts& f) {
       return f.is(F::uncritical_seen) && !works(f) &&
              (f.is(F::init_unanswered) || f.is(F::syntax_refused) || f.is(F::payload_refused));
     },
     possible,
     {F::uncritical_seen, F::init_unanswered, F::syntax_refused, F::payload_refused}},
    {Cause::eap_authentication_fail, is<F::eap_refused>, likely, {F::eap_refused}},
    {Cause::eap_authentication_timeout, is<F::eap_unanswered>, likely, {F::eap_unanswered}},
    {Cause::xauth_authentication_fail, is<F::xauth_refused>, likely, {F::xauth_refused}},
    {Cause::xauth_authentication_timeout, is<F::xauth_unanswered>, likely, {F::xauth_unanswered}},
    {Cause::authentication_fail, auth_refused, confirmed, {F::auth_refused, F::auth_refused_by_us}},
    {Cause::psk_mismatch, is<F::auth_unreadable>, likely, {F::auth_unreadable}},
    {Cause::psk_mismatch,
     [](const Facts& f) { return f.is(F::auth_refused) && f.is(F::auth_by_key) && !f.is(F::mode_differs); },
     possible,
     {F::auth_refused}},
    {Cause::config_id_mismatch,
     [](const Facts& f) { return f.is(F::auth_refused) && !f.is(F::auth_unreadable); },
     possible,
     {F::auth_refused}},
    {Cause::exchange_mode_mismatch,
     [](const Facts& f) { return f.is(F::mode_differs) && f.is(F::auth_refused) && !f.is(F::auth_unreadable); },
     possible,
     {F::mode_differs}},
    {Cause::policy_rules_not_mirrored,
     is<F::daemon_selectors_absent>,
     likely,
     {F::daemon_selectors_absent, F::child_refused}},
    {Cause::interesting_flow_uses_address_group,
     is<F::daemon_selectors_partial>,
     likely,
     {F::daemon_selectors_partial, F::child_refused}},
    {Cause::netmask_mismatch, is<F::daemon_selectors_narrowed>, likely, {F::daemon_selectors_narrowed}},
    {Cause::encapsulation_mode_mismatch,
     [](const Facts& f) {
       return f.is(F::daemon_transport_mode) && (f.is(F::child_refused) || f.is(F::daemon_child_missing));
     },
     likely,
     {F::daemon_transport_mode, F::child_refused, F::daemon_child_missing}},
    {Cause::phase2_proposal_or_pfs_mismatch,
     [](const Facts& f) { return f.is(F::child_refused) || f.is(F::rekey_refused); },
     likely,
     {F::child_refused, F::rekey_refused, F::daemon_child_departs}},
    {Cause::flow_or_peer_mismatch, is<F::child_refused>, possible, {F::child_refused}},
    {Cause::policy_rules_not_mirrored, is<F::child_refused>, possible, {F::child_refused}},
    {Cause::rekey_no_find_old_sa, is<F::rekey_unknown_sa>, likely, {F::rekey_unknown_sa}},
    {Cause::rekey_fail, is<F::rekey_unanswered>, likely, {F::rekey_unanswered}},
    {Cause::rekey_fail,
     [](const Facts& f) { return f.is(F::rekey_refused) || f.is(F::rekey_unknown_sa); },
     possible,
     {F::rekey_refused, F::rekey_unknown_sa}},
    // Torn down, or about to be.
    {Cause::hard_expiry_triggered_by_port_mismatch,
     [](const Facts& f) {
       return f.is(F::port_changed) &&
              (f.is(F::esp_unreturned) || f.is(F::esp_one_way) || f.is(F::liveness_unanswered));
     },
     likely,
     {F::port_changed, F::esp_one_way, F::esp_unreturned, F::liveness_unanswered}},
    {Cause::dpd_timeout,
     is<F::liveness_unanswered>,
     likely,
     {F::liveness_unanswered, F::gateway_silent, F::peer_unreachable}},
    {Cause::dpd_timeout, is<F::local_unresponsive>, possible, {F::local_unresponsive}},
    {Cause::dpd_timeout,
     [](const Facts& f) {
       return f.is(F::liveness_waits) && (f.is(F::gateway_silent) || f.is(F::inner_silent)) && way_outside_is_well(f);
     },
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
    {Cause::peer_request,
     [](const Facts& f) { return f.is(F::peer_deleted) || f.is(F::daemon_peer_deleted); },
     confirmed,
     {F::peer_deleted, F::daemon_peer_deleted}},
    {.cause = Cause::config_modify_or_manual_offline,
     .when = [](const Facts& f) { return f.is(F::local_deleted) || f.is(F::daemon_local_deleted); },
     .confidence = likely,
     .shown_by = {F::local_deleted, F::daemon_local_deleted},
     .momentary = true},
    {Cause::ikev1_phase1_phase2_sa_dependent_offline, is<F::orphaned>, likely, {F::orphaned}},
    {Cause::kick_old_sa_with_same_flow, is<F::old_sa_kicked>, likely, {F::old_sa_kicked}},
    {Cause::phase1_sa_replace, is<F::ike_replaced_often>, likely, {F::ike_replaced_often}},
    {Cause::phase2_sa_replace,
     [](const Facts& f) { return f.is(F::child_replaced_often) || f.is(F::daemon_children_replaced); },
     likely,
     {F::child_replaced_often, F::daemon_children_replaced}},
    {Cause::dns_resolution_status_change, is<F::name_changed>, likely, {F::name_changed, F::init_unanswered}},
    {Cause::dns_resolution_status_change,
     is_and_stuck<F::name_unresolved>,
     likely,
     {F::name_unresolved, F::init_unanswered}},
    {Cause::spi_conflict, is<F::spi_shared>, likely, {F::spi_shared}},
    // The path: a rejection names itself, silence needs something else that answers.
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return (f.is(F::ike_500_rejected) || f.is(F::probe_500_rejected)) && !works(f); },
     confirmed,
     {F::ike_500_rejected, F::probe_500_rejected, F::init_unanswered, F::trace_500_ends}},
    {Cause::first_packet_limited, probes_pass_500, likely, {F::init_unanswered, F::probe_500_answered}},
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return f.is(F::probe_500_silent) && f.is(F::gateway_answers_echo) && !works(f); },
     likely,
     {F::probe_500_silent, F::gateway_answers_echo, F::init_unanswered, F::trace_500_ends}},
    {Cause::ike_port_500_blocked,
     [](const Facts& f) { return f.is(F::init_unanswered) && f.is(F::gateway_answers_echo) && !probes_pass_500(f); },
     likely,
     {F::init_unanswered, F::gateway_answers_echo, F::trace_500_ends}},
    {Cause::fragment_packet_reassemble_timeout,
     is<F::auth_fragmented>,
     likely,
     {F::auth_fragmented, F::fragments_incomplete}},
    {Cause::fragment_packet_reassemble_timeout,
     is_and_stuck<F::fragments_incomplete>,
     likely,
     {F::fragments_incomplete}},
    {Cause::fragment_packet_limit, is_and_stuck<F::fragments_excessive>, likely, {F::fragments_excessive}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::ike_4500_rejected) || f.is(F::probe_4500_rejected); },
     confirmed,
     {F::ike_4500_rejected, F::probe_4500_rejected, F::auth_unanswered_4500, F::trace_4500_ends}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::auth_unanswered_4500) && !f.is(F::auth_fragmented); },
     likely,
     {F::auth_unanswered_4500, F::probe_4500_silent, F::trace_4500_ends}},
    {Cause::nat_detection_fail,
     [](const Facts& f) { return f.is(F::auth_unanswered) && natted(f); },
     likely,
     {F::auth_unanswered, F::local_nat, F::remote_nat}},
    {Cause::nat_detection_fail,
     [](const Facts& f) { return f.is(F::auth_unanswered_4500) && natted(f) && !f.is(F::auth_fragmented); },
     possible,
     {F::auth_unanswered_4500, F::local_nat, F::remote_nat}},
    {Cause::ike_port_4500_blocked,
     [](const Facts& f) { return f.is(F::auth_unanswered_4500) && f.is(F::auth_fragmented); },
     possible,
     {F::auth_unanswered_4500, F::probe_4500_silent, F::trace_4500_ends}},
    {Cause::exchange_timeout,
     [](const Facts& f) { return f.is(F::init_unanswered) && !f.is(F::ike_500_rejected); },
     likely,
     {F::init_unanswered, F::peer_unreachable, F::probe_500_silent, F::gateway_silent}},
    {Cause::exchange_timeout,
     [](const Facts& f) { return f.is(F::auth_unanswered) || f.is(F::child_unanswered); },
     likely,
     {F::auth_unanswered, F::child_unanswered}},
    // Anybody can knock at a standing tunnel's door with forged packets: silence towards them is no fault.
    {Cause::exchange_timeout,
     [](const Facts& f) { return f.is(F::local_silent) && !f.is(F::ike_up); },
     possible,
     {F::local_silent}},
    {Cause::first_packet_limited, is<F::cookie_repeated>, likely, {F::cookie_repeated}},
    {Cause::esp_blocked,
     [](const Facts& f) { return f.is(F::esp_rejected) && !f.is_not(F::inner_silent); },
     confirmed,
     {F::esp_rejected, F::esp_one_way, F::trace_esp_ends}},
    {Cause::esp_blocked,
     [](const Facts& f) {
       return f.is(F::probe_esp_rejected) && (f.is(F::esp_one_way) || f.is(F::esp_unreturned)) &&
              !f.is_not(F::inner_silent);
     },
     confirmed,
     {F::probe_esp_rejected, F::esp_one_way, F::esp_unreturned, F::trace_esp_ends}},
    {Cause::esp_blocked,
     [](const Facts& f) { return f.is(F::esp_one_way) && !f.is(F::liveness_unanswered) && !f.is(F::port_changed); },
     likely,
     {F::esp_one_way, F::inner_silent, F::trace_esp_ends}},
    {Cause::esp_blocked,
     [](const Facts& f) {
       return f.is(F::esp_unreturned) && f.is(F::inner_silent) && f.is(F::gateway_answers_echo) && f.is(F::child_up) &&
              !f.is(F::liveness_unanswered) && !f.is(F::port_changed);
     },
     likely,
     {F::esp_unreturned, F::inner_silent, F::gateway_answers_echo, F::trace_esp_ends}},
    // What the traffic tells beside IKE: see TrafficEvidence.
    {Cause::nonat_missing, lasts_while_up<F::flows_translated>, likely, {F::flows_translated, F::leaves_translated, F::leaves_in_clear}},
    {Cause::nonat_missing,
     [](const Facts& f) { return f.is(F::leaves_in_clear) && f.is(F::child_up); },
     likely,
     {F::leaves_in_clear}},
    {Cause::nonat_missing,
     [](const Facts& f) { return f.is(F::leaves_translated) && !fails_to_come_up(f) && !f.is(F::of_openvpn); },
     possible,
     {F::leaves_translated}},
    {Cause::tunnel_interface_address_not_configured,
     is<F::tunnel_pings_unanswered>,
     confirmed,
     {F::tunnel_pings_unanswered}},
    {Cause::tunnel_interface_address_not_configured,
     lasts_while_up<F::tunnel_address_absent>,
     likely,
     {F::tunnel_address_absent}},
    {Cause::bgp_asn_mismatch, is<F::bgp_as_refused>, confirmed, {F::bgp_as_refused, F::bgp_as_differs}},
    {Cause::bgp_asn_mismatch, is<F::bgp_as_differs>, likely, {F::bgp_as_differs}},
    // What this machine counts as dropped may be meant to be, where what shall get through does.
    {Cause::customer_policy_blocks_traffic,
     [](const Facts& f) { return lasts<F::forwarding_refused>(f) && f.is(F::child_up); },
     likely,
     {F::forwarding_refused}},
    {Cause::customer_policy_blocks_traffic,
     [](const Facts& f) {
       return lasts<F::filter_drops>(f) && f.is(F::child_up) &&
              (f[F::filter_drops].confidence != possible || inside_suffers(f));
     },
     likely,
     {F::filter_drops, F::inner_silent, F::inner_loses}},
    {Cause::customer_policy_blocks_traffic,
     [](const Facts& f) {
       return lasts<F::reverse_path_drops>(f) && f.is(F::inner_silent) && f.is(F::esp_both_ways);
     },
     likely,
     {F::reverse_path_drops, F::inner_silent, F::esp_both_ways}},
    {Cause::customer_policy_blocks_traffic,
     [](const Facts& f) {
       return lasts<F::connection_drops>(f) &&
              (inside_suffers(f) || f.is(F::gateway_loses) || f.is(F::references_lose) || f.is(F::gateway_silent));
     },
     likely,
     {F::connection_drops, F::inner_silent, F::inner_loses, F::gateway_loses, F::references_lose}},
    // Connections that stand go on; new ones are not probed for.
    {Cause::customer_policy_blocks_traffic,
     [](const Facts& f) { return lasts<F::connection_drops>(f) && !f.is_not(F::child_up); },
     possible,
     {F::connection_drops}},
    {Cause::cloud_security_group_blocks_traffic,
     [](const Facts& f) { return f.is(F::inner_host_blocked) && !f.is(F::of_openvpn); },
     likely,
     {F::inner_host_blocked, F::esp_both_ways}},
    {Cause::subnet_acl_blocks_traffic,
     [](const Facts& f) { return f.is(F::inner_subnet_blocked) && !f.is(F::of_openvpn); },
     likely,
     {F::inner_subnet_blocked, F::esp_both_ways}},
    {Cause::multi_egress,
     [](const Facts& f) { return f.is(F::egress_differs) || f.is(F::egress_flips); },
     likely,
     {F::egress_differs, F::egress_flips, F::route_egress_differs, F::route_shared_out}},
    {Cause::multi_egress, is<F::route_egress_differs>, likely, {F::route_egress_differs}},
    {Cause::multi_egress, leaves_the_line, likely, {F::route_shared_out}},
    // Most kernels share out by addresses: a tunnel's own packets keep to one line then.
    {Cause::multi_egress,
     [](const Facts& f) { return lasts<F::route_shared_out>(f) && is_in_trouble<F::route_shared_out>(f); },
     possible,
     {F::route_shared_out}},
    // Both are needed: a full gateway that loses nothing is well used, and loss without load is another's.
    {Cause::gateway_bandwidth_exceeded,
     [](const Facts& f) {
       return f.is(F::gateway_rate_high) && !f.is(F::references_lose) &&
              (f.is(F::esp_in_loses) || f.is(F::inner_loses) || f.is(F::gateway_loses));
     },
     likely,
     {F::gateway_rate_high, F::esp_in_loses, F::inner_loses, F::gateway_loses}},
    {Cause::egress_bandwidth_exceeded,
     line_is_full,
     likely,
     {F::line_rate_high, F::line_drops, F::line_queues, F::gateway_loses, F::references_lose, F::inner_loses, F::esp_in_loses}},
    // Loss: where it begins tells whose it is.
    {Cause::public_network_loss,
     [](const Facts& f) { return f.is(F::gateway_loses) && f.is(F::references_lose) && !line_is_full(f); },
     likely,
     {F::gateway_loses, F::references_lose}},
    {Cause::peer_path_loss,
     [](const Facts& f) { return f.is(F::gateway_loses) && f.is_not(F::references_lose) && !line_is_full(f); },
     likely,
     {F::gateway_loses, F::esp_in_loses}},
    {Cause::tunnel_only_loss,
     [](const Facts& f) {
       return f.is(F::inner_loses) && way_outside_is_well(f) && f.is_not(F::gateway_loses) &&
              f.is_not(F::references_lose) && !f.is(F::of_openvpn);
     },
     likely,
     {F::inner_loses, F::esp_in_loses}},
    {Cause::tunnel_only_loss,
     [](const Facts& f) { return f.is(F::esp_in_loses) && way_outside_is_well(f) && f.is_not(F::gateway_loses); },
     likely,
     {F::esp_in_loses}},
    // Nobody asked the path outside: it may be the one that loses.
    {Cause::tunnel_only_loss,
     [](const Facts& f) { return f.is(F::esp_in_loses) && way_outside_is_well(f); },
     possible,
     {F::esp_in_loses}},
    // An OpenVPN client: guide 3.2.
    {Cause::client_route_missing, client_lacks<F::private_route_absent>, likely, {F::private_route_absent}},
    {Cause::client_route_missing, client_lacks<F::private_route_elsewhere>, likely, {F::private_route_elsewhere}},
    {Cause::client_ping_blocked,
     [](const Facts& f) {
       return f.is(F::of_openvpn) && silent_behind_a_route<F::inner_host_blocked, F::inner_subnet_blocked>(f);
     },
     likely,
     {F::inner_host_blocked, F::inner_subnet_blocked}},
    {Cause::client_loss,
     [](const Facts& f) { return f.is(F::of_openvpn) && f.is(F::client_link_up) && f.is(F::inner_loses); },
     likely,
     {F::inner_loses, F::gateway_loses, F::references_lose}},
    // Findings.
    {Cause::gateway_behind_nat, is<F::local_nat>, confirmed, {F::local_nat}},
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
    Finding finding{rule.cause, rule.confidence, TimePoint::max(), TimePoint::min(), {}, rule.momentary};
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
  join_logs(facts, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.confidence > b.confidence; });
  return findings;
}

}  // namespace tunnelwatch::diagnosis
