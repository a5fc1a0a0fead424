#pragma once

#include "probes/active/path_mtu.h"
#include "probes/active/trace_findings.h"

#include <string>
#include <vector>

// What a trace and a search for the path's MTU found, in plain English sentences for a person and for evidence.
namespace tunnelwatch::agent {

// "UDP 4500"; of icmp_large with its size, "ICMP of 1500 bytes".
std::string protocol_name(active::TraceProtocol protocol, std::uint16_t large_size);

// "0.08 ms", "12.3 ms".
std::string rtt_words(Duration rtt);

// "administratively prohibited (ICMP 3/13)", "no route".
std::string refusal_words(const active::TraceHop& hop);

// One sentence for each protocol and outcome; flows of a protocol that fared alike share one.
std::vector<std::string> comparison_words(const active::PathTrace& trace,
                                          const std::vector<active::TraceFinding>& findings);

// Empty while it is searched for.
std::string mtu_words(const active::PathMtuResult& mtu);

// Whether something that should pass does not: a flow that dies or is rejected, IKE that the target does not answer,
// large packets that vanish. A target that ignores pings, and ESP that nobody answers, are none.
bool path_has_fault(const std::vector<active::TraceFinding>& findings, const active::PathMtuResult& mtu);

// Of all flows of this protocol, the finding that matters most; null where there is none.
const active::TraceFinding* worst_finding(const std::vector<active::TraceFinding>& findings,
                                          active::TraceProtocol protocol);

}  // namespace tunnelwatch::agent
