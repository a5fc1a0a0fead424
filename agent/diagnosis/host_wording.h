#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/host/daemon_view.h"

#include <string_view>

// What this machine's own state says, as sentences for the operator, in both languages.
namespace tunnelwatch::diagnosis {

Text describe_selectors(std::string_view connection, const IpPrefix& subnet, bool local,
                        const host::DaemonSelectors& told);
Text describe_narrowing(const IpPrefix& subnet, bool local, const host::DaemonSelectors& agreed);
Text describe_transport_mode(std::string_view child);
Text describe_missing_child(std::string_view connection);

}  // namespace tunnelwatch::diagnosis
