#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/active/trace_findings.h"

#include <span>

namespace tunnelwatch::diagnosis {

// What a trace says of UDP 500, UDP 4500 and ESP: facts that stand beside those of other witnesses. A flow that ends on
// the way, is rejected, or passes every router without an answer of the peer's (of UDP only) is one; a protocol that
// reaches the peer is none; of one that nothing is known of, what was told before is forgotten.
void tell_trace(Facts& facts, std::span<const active::TraceFinding> findings, TimePoint at);
// What a trace of ESP found, as a sentence.
Text describe_trace(const active::TraceFinding& esp);
// No trace speaks for now any more.
void forget_trace(Facts& facts);

}  // namespace tunnelwatch::diagnosis
