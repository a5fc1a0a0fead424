#pragma once

#include "probes/host/conntrack_stat.h"
#include "probes/host/ip_counters.h"
#include "probes/host/xfrm_stat.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::io {

// Files of /proc/net, of the calling thread's network namespace. They need no permission; nothing where the kernel was
// built without.

// What IPsec in the kernel drops.
std::optional<host::XfrmStat> read_xfrm_stat();

// Whether IPv4 is forwarded, and what is dropped instead.
std::optional<host::IpCounters> read_ip_counters();

// Packets that the tracking of connections dropped.
std::optional<std::uint64_t> read_conntrack_drops();

}  // namespace tunnelwatch::io
