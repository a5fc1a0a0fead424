#pragma once

#include "config/ip_address.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/ike_payloads.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

#include <boost/container/static_vector.hpp>

// What notifies carry behind their header, where it says something about an outcome. Each function takes the notify's
// data, and views lie inside it. The error is always bad_payload_length, or too_many for a list.
namespace tunnelwatch::wire {

// The notify types that are read here (RFC 7296 section 3.10.1 and the RFCs named below).
enum NotifyV2 : std::uint16_t {
  notify_unsupported_critical_payload = 1,  // the payload's type
  notify_invalid_ke_payload = 17,           // the group wanted
  notify_set_window_size = 16385,
  notify_ipcomp_supported = 16387,
  notify_nat_detection_source = 16388,
  notify_nat_detection_destination = 16389,
  notify_cookie = 16390,
  notify_auth_lifetime = 16403,  // RFC 4478, seconds
  notify_redirect = 16407,       // RFC 5685
  notify_redirected_from = 16408,
  notify_ticket_lt_opaque = 16409,  // RFC 5723
  notify_ticket_opaque = 16413,
  notify_message_id_sync = 16422,      // RFC 6311
  notify_replay_counter_sync = 16423,  // RFC 6311
  notify_signature_hashes = 16431,     // RFC 7427
  notify_puzzle = 16434,               // RFC 8019
  notify_ppk_identity = 16436,         // RFC 8784
  notify_auth_methods = 16443,         // RFC 9593
  notify_ppk_identity_key = 16446,     // RFC 9867
};
enum NotifyV1 : std::uint16_t {
  notify_v1_responder_lifetime = 24576,  // RFC 2407 section 4.6.3.1
  notify_v1_replay_status = 24577,
  notify_v1_are_you_there = 36136,  // RFC 3706, a sequence number
  notify_v1_are_you_there_ack = 36137,
};

// Data of exactly one number: 1, 2 or 4 bytes.
Parsed<std::uint32_t> parse_notify_number(Bytes data, std::size_t size) noexcept;

// RFC 7296 section 2.6: 1 to 64 bytes.
Parsed<Bytes> parse_cookie(Bytes data) noexcept;

// RFC 5685 section 4: another gateway, by address or name; in REDIRECT the initiator's nonce follows.
struct Redirect {
  std::uint8_t type = 0;  // 1 IPv4, 2 IPv6, 3 FQDN
  Bytes gateway;
  Bytes nonce;
};
Parsed<Redirect> parse_redirect(Bytes data) noexcept;

// RFC 5723 section 7.2: how long the ticket serves, and the ticket.
struct Ticket {
  std::uint32_t lifetime_seconds = 0;
  Bytes ticket;
};
Parsed<Ticket> parse_ticket(Bytes data) noexcept;

// RFC 6311 section 5.1.
struct MessageIdSync {
  std::uint32_t nonce = 0;
  std::uint32_t expected_send = 0;
  std::uint32_t expected_receive = 0;
};
Parsed<MessageIdSync> parse_message_id_sync(Bytes data) noexcept;

// RFC 7427 section 4.
using SignatureHashes = boost::container::static_vector<std::uint16_t, 16>;
Parsed<SignatureHashes> parse_signature_hashes(Bytes data) noexcept;

// RFC 9593 section 3.2: what each announcement names; 14 (digital signature) with an algorithm, which is not read.
using AuthMethods = boost::container::static_vector<std::uint8_t, 32>;
Parsed<AuthMethods> parse_auth_methods(Bytes data) noexcept;

// RFC 8019 section 8.1.
struct Puzzle {
  std::uint16_t prf = 0;
  std::uint8_t difficulty = 0;  // bits that must be zero
};
Parsed<Puzzle> parse_puzzle(Bytes data) noexcept;

// RFC 8784 section 5.1: 1 opaque, 2 fixed.
struct PpkIdentity {
  std::uint8_t type = 0;
  Bytes identity;
};
Parsed<PpkIdentity> parse_ppk_identity(Bytes data) noexcept;

// RFC 7296 section 3.10.1.
struct IpcompSupported {
  std::uint16_t cpi = 0;
  std::uint8_t transform = 0;
};
Parsed<IpcompSupported> parse_ipcomp_supported(Bytes data) noexcept;

// The life that an IKEv1 responder keeps to, of either phase: attributes as in an offer.
struct ResponderLifetime {
  std::uint32_t seconds = 0;
  std::uint32_t kilobytes = 0;
};
Parsed<ResponderLifetime> parse_responder_lifetime_v1(Bytes data, bool is_phase1) noexcept;

}  // namespace tunnelwatch::wire
