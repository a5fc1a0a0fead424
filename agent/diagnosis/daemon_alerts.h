#pragma once

#include "agent/diagnosis/log_hit.h"
#include "probes/host/error_notify.h"

#include <vector>

namespace tunnelwatch::diagnosis {

// The causes that a notification of the daemon names, as if its log did; none where it tells of normal life. `by_key`:
// its connection is known to authenticate the peer by a pre-shared key, so that may be what differs.
std::vector<LogHit> hits_of(const host::ErrorNotification& notification, bool by_key);

}  // namespace tunnelwatch::diagnosis
