#include "probes/passive/ike_observation.h"

namespace tunnelwatch::passive {

std::string_view to_string(Side side) { return side == Side::local ? "local" : "remote"; }

std::string_view to_string(IkeSight sight) {
  switch (sight) {
    case IkeSight::negotiation_started:
      return "negotiation_started";
    case IkeSight::init_unanswered:
      return "init_unanswered";
    case IkeSight::init_answered:
      return "init_answered";
    case IkeSight::proposal_refused:
      return "proposal_refused";
    case IkeSight::connection_refused:
      return "connection_refused";
    case IkeSight::cookie_challenged:
      return "cookie_challenged";
    case IkeSight::group_refused:
      return "group_refused";
    case IkeSight::group_retried:
      return "group_retried";
    case IkeSight::version_refused:
      return "version_refused";
    case IkeSight::clear_notify:
      return "clear_notify";
    case IkeSight::redirected:
      return "redirected";
    case IkeSight::mode_refused:
      return "mode_refused";
    case IkeSight::sm_offered:
      return "sm_offered";
    case IkeSight::auth_unanswered:
      return "auth_unanswered";
    case IkeSight::auth_refused:
      return "auth_refused";
    case IkeSight::eap_refused:
      return "eap_refused";
    case IkeSight::eap_unanswered:
      return "eap_unanswered";
    case IkeSight::xauth_refused:
      return "xauth_refused";
    case IkeSight::xauth_unanswered:
      return "xauth_unanswered";
    case IkeSight::ike_established:
      return "ike_sa_established";
    case IkeSight::ike_resumed_midway:
      return "ike_sa_seen_midway";
    case IkeSight::child_established:
      return "child_sa_established";
    case IkeSight::child_refused:
      return "child_sa_refused";
    case IkeSight::child_unanswered:
      return "child_sa_unanswered";
    case IkeSight::child_rekeyed:
      return "child_sa_rekeyed";
    case IkeSight::rekey_refused:
      return "rekey_refused";
    case IkeSight::ike_rekeyed:
      return "ike_sa_rekeyed";
    case IkeSight::request_unanswered:
      return "request_unanswered";
    case IkeSight::request_answered:
      return "request_answered";
    case IkeSight::child_deleted:
      return "child_sa_deleted";
    case IkeSight::ike_ended:
      return "ike_sa_ended";
    case IkeSight::ike_deleted:
      return "ike_sa_deleted";
    case IkeSight::ike_replaced:
      return "ike_sa_replaced";
    case IkeSight::ike_reauthenticated:
      return "ike_sa_reauthenticated";
    case IkeSight::nat_detected:
      return "nat_detected";
    case IkeSight::port_floated:
      return "port_floated";
    case IkeSight::address_changed:
      return "address_changed";
    case IkeSight::malformed:
      return "malformed";
    case IkeSight::unknown_exchange:
      return "unknown_exchange";
    case IkeSight::critical_payload:
      return "critical_payload";
  }
  return "malformed";
}

}  // namespace tunnelwatch::passive
