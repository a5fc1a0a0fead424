#pragma once

#include "probes/host/xfrm_stat.h"

#include <optional>

namespace tunnelwatch::io {

// What the kernel counts in this network namespace; nothing where it was built without. Needs no permission.
std::optional<host::XfrmStat> read_xfrm_stat();

}  // namespace tunnelwatch::io
