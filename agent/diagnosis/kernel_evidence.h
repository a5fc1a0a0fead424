#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/kernel_view.h"

#include <optional>
#include <vector>

namespace tunnelwatch::diagnosis {

// The addresses whose ways decide about a tunnel: the peer's, and one inside each remote subnet, kMaxWays at most.
std::vector<IpAddress> wanted_ways(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote);
inline constexpr std::size_t kMaxWays = 32;

// What the kernel knows of this machine's network, against what the configuration says of the tunnel. What it was not
// asked, and what is missing in tables that are not complete, is unknown.
void judge_kernel(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                  const host::KernelView& view, TimePoint now);

// The kernel cannot be asked any more.
void forget_kernel(Facts& facts);

}  // namespace tunnelwatch::diagnosis
