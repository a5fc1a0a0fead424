#pragma once

#include "config/ip_address.h"

#include <optional>
#include <string>

namespace tunnelwatch::cli {

// The address of a peer that is given as one or as a DNS name, of the family wanted where one is. Nothing, with a
// sentence on standard error, where there is none.
std::optional<IpAddress> peer_address(const std::string& peer, std::optional<IpFamily> family);

// An own address to send from; an empty text is none. `valid` says whether the text is an address of that family.
std::optional<IpAddress> source_address(const std::string& text, IpFamily family, bool& valid);

}  // namespace tunnelwatch::cli
