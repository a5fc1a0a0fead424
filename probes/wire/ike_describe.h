#pragma once

#include "probes/wire/ike.h"
#include "probes/wire/ike_payloads.h"

#include <cstddef>
#include <string>

// What of a message is in clear, in one line for people:
//   IKE_SA_INIT request SA(AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048) KE(MODP_2048) Nonce(32)
//   IKE_AUTH request encrypted 1248 bytes, fragment 1 of 2, first IDi
//   QUICK_MODE encrypted 204 bytes
// Printable ASCII and bounded, whatever the bytes are; what does not parse is told as such. Bytes are those of the
// whole message, its Length field.
namespace tunnelwatch::wire {

struct DescribeLimits {
  std::size_t line = 640;     // characters; what does not fit is counted: " +3 more"
  std::size_t payload = 240;  // of one payload's parentheses
};

std::string describe(const IkeMessage& message, const DescribeLimits& limits = {});
// The same for a datagram, also for one that is no message: "unreadable, 28 bytes: bad_version".
std::string describe_ike(Bytes datagram, bool cut, const DescribeLimits& limits = {});

// One payload: "KE(MODP_2048)".
std::string describe_payload_v1(const IkePayload& payload, std::uint8_t exchange);
std::string describe_payload_v2(const IkePayload& payload);

// A notify's name and what its data says: "INVALID_KE_PAYLOAD MODP_2048", "COOKIE 16 bytes".
std::string describe_notify_v1(const IkeNotify& notify);
std::string describe_notify_v2(const IkeNotify& notify);

}  // namespace tunnelwatch::wire
