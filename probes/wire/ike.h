#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>
#include <optional>

#include <boost/container/static_vector.hpp>

// The ISAKMP message as both versions of IKE share it: RFC 7296 section 3.1 and 3.2, RFC 2408 section 3.1 and 3.2.
//
//                      1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// |                       IKE SA Initiator's SPI                  |  (v1: initiator cookie)
// |                       IKE SA Responder's SPI                  |  (v1: responder cookie)
// |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
// |                          Message ID                           |
// |                            Length                             |
namespace tunnelwatch::wire {

inline constexpr std::size_t kIkeHeaderSize = 28;

// A cipher of both versions' private ranges that nobody has: our reachability probes offer it alone, so that they are
// refused before a responder keeps anything, and are known for what they are in a capture.
inline constexpr std::uint16_t kNobodysCipher = 65432;

enum IkeExchange : std::uint8_t {
  v1_identity_protection = 2,  // main mode
  v1_authentication_only = 3,
  v1_aggressive = 4,
  v1_informational = 5,
  v1_transaction = 6,
  v1_quick = 32,
  v1_new_group = 33,
  ike_sa_init = 34,
  ike_auth = 35,
  create_child_sa = 36,
  informational = 37,
  ike_session_resume = 38,  // RFC 5723
  gsa_auth = 39,
  gsa_registration = 40,
  gsa_rekey = 41,
  gsa_inband_rekey = 42,  // RFC 9838
  ike_intermediate = 43,  // RFC 9242
  ike_followup_ke = 44,   // RFC 9370
};

// IKEv2 payload types (RFC 7296 section 3.2, RFC 7383).
enum V2Payload : std::uint8_t {
  v2_none = 0,
  v2_sa = 33,
  v2_ke = 34,
  v2_id_initiator = 35,
  v2_id_responder = 36,
  v2_cert = 37,
  v2_cert_request = 38,
  v2_auth = 39,
  v2_nonce = 40,
  v2_notify = 41,
  v2_delete = 42,
  v2_vendor = 43,
  v2_ts_initiator = 44,
  v2_ts_responder = 45,
  v2_encrypted = 46,
  v2_config = 47,
  v2_eap = 48,
  v2_encrypted_fragment = 53,
};

// IKEv1 payload types (RFC 2408 section 3.1, RFC 3947).
enum V1Payload : std::uint8_t {
  v1_sa = 1,
  v1_ke = 4,
  v1_id = 5,
  v1_cert = 6,
  v1_cert_request = 7,
  v1_hash = 8,
  v1_signature = 9,
  v1_nonce = 10,
  v1_notify = 11,
  v1_delete = 12,
  v1_vendor = 13,
  v1_attributes = 14,
  v1_nat_d = 20,
  v1_nat_oa = 21,
  v1_nat_d_draft = 130,  // draft-ietf-ipsec-nat-t-ike-00 to -03, as 131
  v1_nat_oa_draft = 131,
  v1_fragment = 132,  // the vendors' fragmentation
};

struct IkeHeader {
  std::uint64_t spi_initiator = 0;
  std::uint64_t spi_responder = 0;
  std::uint8_t next_payload = 0;
  std::uint8_t version = 0;  // major in the high nibble
  std::uint8_t exchange = 0;
  std::uint8_t flags = 0;
  std::uint32_t message_id = 0;
  std::uint32_t length = 0;  // of the whole message

  std::uint8_t major() const { return version >> 4; }
  bool is_response() const { return (flags & 0x20) != 0; }     // v2
  bool from_initiator() const { return (flags & 0x08) != 0; }  // v2: of the IKE SA's original initiator
  bool is_encrypted_v1() const { return (flags & 0x01) != 0; }
};

struct IkePayload {
  std::uint8_t type = 0;
  bool critical = false;
  Bytes body;  // behind the generic payload header
};

// One message. Views point into the datagram.
struct IkeMessage {
  static constexpr std::size_t kMaxPayloads = 64;

  IkeHeader header;
  boost::container::static_vector<IkePayload, kMaxPayloads> payloads;  // those in clear
  bool encrypted = false;                                              // v1: flag E; v2: an SK or SKF payload
  std::optional<std::uint8_t> first_inner;  // v2: what SK, or fragment 1 of SKF, says comes first inside
  std::size_t encrypted_bytes = 0;          // v2: IV, ciphertext and checksum; v1: what follows the header
  std::uint16_t fragment = 0;               // RFC 7383: number of this one, from 1; 0: not fragmented
  std::uint16_t fragments = 0;
  bool cut = false;       // the capture's snap length ended the message early; what is above is what was seen
  bool trailing = false;  // the datagram goes on behind the message
  // The message's frame is sound, one payload inside it is not: what was read up to there stands.
  std::optional<ParseError> payload_error;

  const IkePayload* find(std::uint8_t type) const {
    for (const auto& p : payloads) {
      if (p.type == type) return &p;
    }
    return nullptr;
  }
};

Parsed<IkeHeader> parse_ike_header(Bytes datagram) noexcept;

// `cut`: the capture did not keep the whole datagram, so a length beyond its end is no error.
// Errors: truncated (no whole header), bad_version (major neither 1 nor 2), bad_length (Length below 28 or beyond the
// datagram). A broken payload chain is not an error of the message but its `payload_error`.
Parsed<IkeMessage> parse_ike(Bytes datagram, bool cut) noexcept;

}  // namespace tunnelwatch::wire
