#pragma once

#include "config/ip_address.h"
#include "probes/wire/ike.h"

#include <cstdint>
#include <optional>

// Who is behind NAT, recomputed by an onlooker from the hashes of RFC 7296 section 2.23 and RFC 3947 section 3.2:
// SHA1(SPIi | SPIr | address | port) of what the sender believes both ends to be.
namespace tunnelwatch::passive {

struct NatHashes {
  std::optional<bool>
      source_differs;  // the sender's own address: NAT in front of it, or a hash faked to force UDP encapsulation
  std::optional<bool> destination_differs;  // the address it sends to: NAT in front of the other end
};

// Of one IKE_SA_INIT or IKEv1 phase 1 message (there with the hash of SHA-1 only; others stay unknown), as it was seen
// between the two addresses and ports.
NatHashes nat_hashes(const wire::IkeMessage& message, const IpAddress& source, std::uint16_t source_port,
                     const IpAddress& destination, std::uint16_t destination_port);

}  // namespace tunnelwatch::passive
