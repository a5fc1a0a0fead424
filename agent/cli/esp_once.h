#pragma once

#include "agent/cli/probe_words.h"
#include "config/ip_address.h"

#include <optional>

namespace tunnelwatch::cli {

// Sends one packet of protocol 50 to the peer, as the daemon does, and waits a second for what becomes of it. Without
// CAP_NET_RAW it is not asked, and the meaning says so.
ProbedEsp probe_esp_once(const IpAddress& target, const std::optional<IpAddress>& source);

}  // namespace tunnelwatch::cli
