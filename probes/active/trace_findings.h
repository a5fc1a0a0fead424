#pragma once

#include "probes/active/path_trace.h"

#include <cstdint>
#include <vector>

namespace tunnelwatch::active {

// How far one flow came. Enumerators are label values.
enum class TraceOutcome : std::uint8_t {
  reached,    // the target answered
  rejected,   // somebody on the way sent an ICMP error other than "TTL exceeded": `last` tells who and what
  too_big,    // icmp_large: a router announced a smaller MTU, as it should
  dies,       // routers behind `last` answered other flows and never this one
  to_target,  // every router that answered others answered this one too, the target did not
  unknown,    // nothing that tells: no answer at all, or nobody else came further
};
std::string_view to_string(TraceOutcome outcome);

// One flow against the others. Facts only: who sends no answer is silent, not known to drop.
struct TraceFinding {
  TraceProtocol protocol = TraceProtocol::icmp;
  std::uint8_t flow = 1;
  TraceOutcome outcome = TraceOutcome::unknown;
  std::uint8_t hop = 0;       // where it ends: the target's, the first without an answer, or the one that rejected
  std::uint8_t last_hop = 0;  // the farthest that answered; 0: none
  TraceHop last;              // its answer
  // dies: hops behind `last_hop` where routers answered the others and were silent for this flow.
  std::uint8_t witnesses = 0;
  std::uint8_t target_hop = 0;  // where the target answered others; 0: it answered nobody
};

// The findings of a trace, in the order of its flows. Of a trace that is not done, what is known so far.
//
// Rules. A router is a witness against a flow where it answered others at a hop that this flow was asked in full. One
// whose answers the others had to ask for in vain as well (a limit on ICMP errors) is no witness. The target itself is
// never one: whom it answers is its own choice. ESP that got no answer at all is unknown, whoever else was answered:
// there are routers that send no errors about it.
std::vector<TraceFinding> compare_flows(const std::vector<TraceFlow>& flows);

}  // namespace tunnelwatch::active
