#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"

#include <cstdint>

// Who a peer says that it is: identities, certificates, authentication. In clear only in aggressive mode and in main
// mode's certificate requests; each function takes a payload's body, and views lie inside it.
namespace tunnelwatch::wire {

// RFC 7296 section 3.5; RFC 2407 section 4.6.2, which has the protocol and the port too.
struct IkeIdentity {
  std::uint8_t type = 0;
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;
  Bytes data;
};
// Errors: bad_payload_length, also where the data of an address has another length than the type says.
Parsed<IkeIdentity> parse_identity_v1(Bytes body) noexcept;
Parsed<IkeIdentity> parse_identity_v2(Bytes body) noexcept;

// CERT and CERTREQ of both versions: RFC 7296 sections 3.6 and 3.7, RFC 2408 sections 3.9 and 3.10. The data of a
// request may be empty: any authority.
struct IkeCertificate {
  std::uint8_t encoding = 0;
  Bytes data;
};
Parsed<IkeCertificate> parse_certificate(Bytes body) noexcept;

// RFC 7296 section 3.8 (v2 only: HASH and SIG of v1 are bare data).
struct IkeAuthentication {
  std::uint8_t method = 0;
  Bytes data;
};
Parsed<IkeAuthentication> parse_authentication_v2(Bytes body) noexcept;

// RFC 7296 section 3.16, RFC 3748 section 4. Success and failure have no type.
struct EapMessage {
  std::uint8_t code = 0;  // 1 request, 2 response, 3 success, 4 failure
  std::uint8_t identifier = 0;
  std::uint8_t type = 0;
  Bytes data;
};
Parsed<EapMessage> parse_eap(Bytes body) noexcept;

}  // namespace tunnelwatch::wire
