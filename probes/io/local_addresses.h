#pragma once

#include "config/ip_address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::io {

// The addresses of this machine's interfaces, loopback ones left out; empty where they cannot be read.
std::vector<IpAddress> local_addresses();

// The addresses of one interface, link-local ones left out.
std::vector<IpAddress> addresses_of(const std::string& interface);

// The number that the kernel knows an interface by; nothing where there is none of that name.
std::optional<std::uint32_t> interface_index(const std::string& interface);

}  // namespace tunnelwatch::io
