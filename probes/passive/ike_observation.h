#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

// What the tracker of IKE can report of one peer. Words of the protocol, no opinion about causes.
namespace tunnelwatch::passive {

enum class Side : std::uint8_t { local, remote };
constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }
constexpr Side other(Side s) { return s == Side::local ? Side::remote : Side::local; }
std::string_view to_string(Side side);

// How far the wire alone goes. `certain`: nothing else fits; `likely`: something rare fits too; `possible`: one of
// several.
enum class Certainty : std::uint8_t { possible, likely, certain };

enum class IkeSight : std::uint8_t {
  // The first exchange: IKE_SA_INIT, main mode up to message 4, aggressive message 1.
  negotiation_started,  // by: who initiates
  init_unanswered,      // by: who asks; sends, since
  init_answered,        // the offer was accepted; by: who answered
  proposal_refused,     // NO_PROPOSAL_CHOSEN in clear, no responder SPI
  connection_refused,   // the same with a responder SPI (v2) or without a cookie pair (v1): see notes of `detail`
  cookie_challenged,    // COOKIE in clear
  group_refused,        // INVALID_KE_PAYLOAD in clear; group: the one asked for
  group_retried,        // the initiator came back with that group
  group_abandoned,      // it did not; by: the initiator; group, offered
  group_inconsistent,   // the first message's key exchange is of a group that its own offer lacks
  version_refused,      // INVALID_MAJOR_VERSION
  clear_notify,         // any other error notify in clear; notify
  redirected,           // REDIRECT
  mode_refused,         // v1: the first message of a mode answered by AUTHENTICATION_FAILED
  sm_offered,           // SM algorithms in an IKEv2 offer
  version_crossed,      // one version asks, the other version answers; by: who answers
  version_odd,          // a major version that is neither 1 nor 2; by: who sent it
  answered_elsewhere,   // the answer came from another address than was asked; address
  spi_changed,          // another responder SPI (cookie) inside one negotiation; by: who changed it
  // Authentication: IKE_AUTH, main mode 5 and 6, aggressive 3.
  auth_unanswered,  // sends, since, port, fragmented
  auth_refused,     // by: who refuses; certificate: the method, where it shows; sends > 1: v1, the request was repeated
  eap_refused,
  eap_unanswered,
  xauth_refused,     // v1
  xauth_unanswered,  // v1
  ike_established,
  ike_resumed_midway,  // an IKE SA that was there before the capture began
  // Child SAs: inside IKE_AUTH, CREATE_CHILD_SA, quick mode.
  child_established,
  child_refused,     // the first child of an IKE SA
  child_unanswered,  // v1: quick mode
  child_rekeyed,
  child_replaced,  // a further child took over and the one before was deleted, without a rekey
  rekey_refused,   // CREATE_CHILD_SA or a later quick mode answered by a lone notify
  rekey_unknown,   // the same, and the notify has the length of CHILD_SA_NOT_FOUND
  ike_rekeyed,
  // Life and end.
  request_unanswered,    // a request of an established SA; by: who asks; sends, since
  request_answered,      // by: who answers
  child_deleted,         // by: who deletes, no child is left
  ike_ended,             // by: who deletes; told at once, before it is known whether another one follows
  ike_deleted,           // by: who deletes, no IKE SA is left
  isakmp_deleted_alone,  // v1: the ISAKMP SA went, its children were not deleted; by: who deletes
  ike_replaced,          // a further IKE SA with the same peer took over; the one before was deleted by its initiator
  ike_kicked,            // the same, but the one before was deleted by who had only answered; by: who deletes
  ike_reauthenticated,   // deleted, and a new one from scratch
  ike_lives_on,          // it had seemed refused or deleted, and its SPIs are still in use
  // Around it.
  nat_detected,     // NAT_DETECTION hashes; local_nat, remote_nat
  nat_gone,         // later ones say that there is none
  port_floated,     // 500 -> 4500
  port_changed,     // the peer's port changed under an SA: its NAT gave the flow another one; port: the new one
  address_changed,  // an SA moved to other addresses (MOBIKE, NAT)
  malformed,        // a message that does not parse; by: who sent it; fault
  many_fragments,   // a message in more IKE fragments than any honest one; sends: their number
  unknown_exchange,
  critical_payload,    // UNSUPPORTED_CRITICAL_PAYLOAD or an unknown payload with the critical bit
  uncritical_payload,  // an unknown payload without it
};
inline constexpr std::uint8_t kIkeSightCount = static_cast<std::uint8_t>(IkeSight::uncritical_payload) + 1;
// Enumerators as words: they are the label values of tunnelwatch_tunnel_events_total{event}.
std::string_view to_string(IkeSight sight);

// Where a message is wrong.
enum class IkeFault : std::uint8_t { none, message, payload, length };

struct IkeObservation {
  IkeSight sight = IkeSight::negotiation_started;
  Side by = Side::local;
  Certainty certainty = Certainty::certain;
  std::uint8_t version = 0;  // major
  std::uint8_t exchange = 0;
  std::uint16_t sends = 0;  // of an unanswered request, 1: no retransmission yet
  std::uint16_t notify = 0;
  std::uint16_t group = 0;
  std::uint16_t port = 0;    // of the responder's side
  std::uint32_t length = 0;  // of the message that decided
  bool fragmented = false;   // the request travelled in IP or IKE fragments
  bool local_nat = false;
  bool remote_nat = false;
  bool offered = false;      // the group was in the initiator's offer
  bool certificate = false;  // the size of the request says certificate rather than key
  IkeFault fault = IkeFault::none;
  IpAddress address;  // answered_elsewhere, address_changed: the other one
  TimePoint at{};
  TimePoint since{};  // first send of an unanswered request
};

}  // namespace tunnelwatch::passive
