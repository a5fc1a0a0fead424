#pragma once

#include "config/ip_address.h"

#include <optional>
#include <vector>

namespace tunnelwatch::io {

// The addresses of this machine's interfaces, loopback ones left out; empty where they cannot be read.
std::vector<IpAddress> local_addresses();

// The address that the kernel would send from to reach `peer`; nothing where there is no route. No packet is sent.
std::optional<IpAddress> source_towards(const IpAddress& peer);

}  // namespace tunnelwatch::io
