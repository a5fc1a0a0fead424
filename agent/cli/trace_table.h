#pragma once

#include "probes/active/path_trace.h"

#include <string>

namespace tunnelwatch::cli {

// The hops of a trace as a table for a terminal of fixed width letters: a line for each hop and address, a column for
// each protocol with its round trip time, "*" where a protocol's every flow was silent, "." while it waits. Several
// addresses at one hop (flows that take different ways) have a line each. Ends with a line feed.
std::string trace_table(const active::PathTrace& trace);

}  // namespace tunnelwatch::cli
