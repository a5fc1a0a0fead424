#pragma once

#include "probes/host/daemon_view.h"
#include "probes/host/vici.h"

// vici's messages list-conn, list-sa and the answer to get-counters in words of our own. What is not understood is left
// out.
namespace tunnelwatch::host {

inline constexpr std::size_t kMaxDaemonChildren = 256;  // of a connection or SA

void add_connections(const ViciSection& list_conn, std::vector<DaemonConnection>& out);
void add_sas(const ViciSection& list_sa, std::vector<DaemonSa>& out);
// At most `room` of them. Numbers that are none are nought.
void add_counters(const ViciSection& get_counters, std::size_t room, std::vector<DaemonCounters>& out);
DaemonSelectors selectors_of(const std::vector<std::string>& texts);

}  // namespace tunnelwatch::host
