#pragma once

#include "probes/active/ike_probe.h"
#include "probes/active/keyed_random.h"

#include <cstdint>
#include <vector>

namespace tunnelwatch::active {

// The bytes of a request that no responder can accept. `with_marker` puts the four zero bytes of RFC 3948 section 2.2
// in front. `random` fills nonce and key exchange.
std::vector<std::uint8_t> ike_request(IkeProbeKind kind, std::uint64_t spi, bool with_marker, KeyedRandom& random);

}  // namespace tunnelwatch::active
