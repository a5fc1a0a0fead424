#pragma once

#include "probes/time.h"

#include <cstdint>
#include <string_view>

// What the tracker of IKE can report of one peer. Words of the protocol, no opinion about causes.
namespace tunnelwatch::passive {

enum class Side : std::uint8_t { local, remote };
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
  version_refused,      // INVALID_MAJOR_VERSION
  clear_notify,         // any other error notify in clear; notify
  redirected,           // REDIRECT
  mode_refused,         // v1: the first message of a mode answered by AUTHENTICATION_FAILED
  sm_offered,           // SM algorithms in an IKEv2 offer
  // Authentication: IKE_AUTH, main mode 5 and 6, aggressive 3.
  auth_unanswered,  // sends, since, port, fragmented
  auth_refused,     // by: who refuses
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
  rekey_refused,  // CREATE_CHILD_SA or a later quick mode answered by a lone notify
  ike_rekeyed,
  // Life and end.
  request_unanswered,   // a request of an established SA; by: who asks; sends, since
  request_answered,     // by: who answers
  child_deleted,        // by: who deletes, no child is left
  ike_ended,            // by: who deletes; told at once, before it is known whether another one follows
  ike_deleted,          // by: who deletes, no IKE SA is left
  ike_replaced,         // a further IKE SA with the same peer took over
  ike_reauthenticated,  // deleted, and a new one from scratch
  // Around it.
  nat_detected,     // NAT_DETECTION hashes; local_nat, remote_nat
  port_floated,     // 500 -> 4500
  address_changed,  // an SA moved to other addresses (MOBIKE, NAT)
  malformed,        // a message that does not parse; by: who sent it
  unknown_exchange,
  critical_payload,  // UNSUPPORTED_CRITICAL_PAYLOAD or an unknown payload with the critical bit
};
inline constexpr std::uint8_t kIkeSightCount = static_cast<std::uint8_t>(IkeSight::critical_payload) + 1;
// Enumerators as words: they are the label values of tunnelwatch_tunnel_events_total{event}.
std::string_view to_string(IkeSight sight);

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
  TimePoint at{};
  TimePoint since{};  // first send of an unanswered request
};

}  // namespace tunnelwatch::passive
