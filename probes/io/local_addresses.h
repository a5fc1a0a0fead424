#pragma once

#include "config/ip_address.h"

#include <string>
#include <vector>

namespace tunnelwatch::io {

// The addresses of this machine's interfaces, loopback ones left out; empty where they cannot be read.
std::vector<IpAddress> local_addresses();

// The addresses of one interface, link-local ones left out.
std::vector<IpAddress> addresses_of(const std::string& interface);

}  // namespace tunnelwatch::io
