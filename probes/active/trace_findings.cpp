#include "probes/active/trace_findings.h"

#include <algorithm>

namespace tunnelwatch::active {

namespace {

const TraceHop* hop_of(const TraceFlow& flow, std::uint8_t hop) {
  return hop != 0 && hop <= flow.hops.size() ? &flow.hops[hop - 1U] : nullptr;
}

bool is_router(const TraceHop& hop) { return hop.answered && hop.reason == RefusalReason::ttl_exceeded; }

std::uint8_t farthest_answer(const TraceFlow& flow) {
  for (std::size_t i = flow.hops.size(); i > 0; --i) {
    if (flow.hops[i - 1].answered) return static_cast<std::uint8_t>(i);
  }
  return 0;
}

// At this hop some other flow was answered by a router, and none was asked in vain. A flow that is known to end before
// it says nothing; nor does another flow of the same protocol, which may well die of the same.
bool is_witness(const std::vector<TraceFlow>& flows, const TraceFlow& accused, std::uint8_t hop) {
  bool answered = false;
  for (const TraceFlow& f : flows) {
    const TraceHop* h = hop_of(f, hop);
    if (h == nullptr || f.protocol == accused.protocol) continue;
    answered = answered || is_router(*h);
    if (h->silent && farthest_answer(f) > hop) return false;
  }
  return answered;
}

std::uint8_t count_witnesses(const std::vector<TraceFlow>& flows, const TraceFlow& accused, std::uint8_t last) {
  std::uint8_t count = 0;
  for (std::size_t hop = last + 1U; hop <= accused.hops.size(); ++hop) {
    if (!accused.hops[hop - 1].silent) continue;
    if (is_witness(flows, accused, static_cast<std::uint8_t>(hop))) ++count;
  }
  return count;
}

std::uint8_t nearest_target(const std::vector<TraceFlow>& flows) {
  std::uint8_t nearest = 0;
  for (const TraceFlow& f : flows) {
    if (f.reached != 0 && (nearest == 0 || f.reached < nearest)) nearest = f.reached;
  }
  return nearest;
}

// Of the routers that answered anybody, the farthest.
std::uint8_t farthest_router(const std::vector<TraceFlow>& flows) {
  std::uint8_t farthest = 0;
  for (const TraceFlow& f : flows) {
    for (std::size_t i = f.hops.size(); i > farthest; --i) {
      if (is_router(f.hops[i - 1])) farthest = static_cast<std::uint8_t>(i);
    }
  }
  return farthest;
}

// Routers limit their errors: where one rejects is as near as it was seen by any flow to reject, or right behind where
// it let a TTL run out.
std::uint8_t nearest_rejection(const std::vector<TraceFlow>& flows, const TraceFlow& flow) {
  std::uint8_t nearest = flow.rejected;
  const IpAddress& by = flow.hops[flow.rejected - 1U].from;
  for (const TraceFlow& f : flows) {
    for (std::size_t i = 0; i < f.hops.size() && i + 1 < nearest; ++i) {
      if (!f.hops[i].answered || f.hops[i].from != by) continue;
      nearest = static_cast<std::uint8_t>(is_router(f.hops[i]) ? i + 2 : i + 1);
    }
  }
  return nearest;
}

void judge_silence(const std::vector<TraceFlow>& flows, const TraceFlow& flow, TraceFinding& finding) {
  finding.hop = static_cast<std::uint8_t>(finding.last_hop + 1);
  const bool mute_esp = flow.protocol == TraceProtocol::esp && finding.last_hop == 0;
  finding.witnesses = count_witnesses(flows, flow, finding.last_hop);
  if (finding.witnesses > 0 && !mute_esp) {
    finding.outcome = TraceOutcome::dies;
  } else if (finding.target_hop != 0 && !mute_esp && finding.last_hop >= farthest_router(flows)) {
    finding.outcome = TraceOutcome::to_target;
  }
}

}  // namespace

std::string_view to_string(TraceOutcome outcome) {
  switch (outcome) {
    case TraceOutcome::reached:
      return "reached";
    case TraceOutcome::rejected:
      return "rejected";
    case TraceOutcome::too_big:
      return "too_big";
    case TraceOutcome::dies:
      return "dies";
    case TraceOutcome::to_target:
      return "to_target";
    case TraceOutcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<TraceFinding> compare_flows(const std::vector<TraceFlow>& flows) {
  std::vector<TraceFinding> findings;
  for (const TraceFlow& flow : flows) {
    TraceFinding finding{.protocol = flow.protocol, .flow = flow.number, .last = {}};
    finding.target_hop = nearest_target(flows);
    finding.last_hop = farthest_answer(flow);
    if (flow.reached != 0) {
      finding.outcome = TraceOutcome::reached;
      finding.hop = finding.last_hop = flow.reached;
    } else if (flow.rejected != 0) {
      finding.hop = nearest_rejection(flows, flow);
      finding.last_hop = flow.rejected;
      const bool told_mtu = flow.hops[flow.rejected - 1U].reason == RefusalReason::fragmentation_needed;
      finding.outcome = told_mtu ? TraceOutcome::too_big : TraceOutcome::rejected;
    } else {
      judge_silence(flows, flow, finding);
    }
    if (const TraceHop* last = hop_of(flow, finding.last_hop); last != nullptr) finding.last = *last;
    findings.push_back(finding);
  }
  return findings;
}

}  // namespace tunnelwatch::active
