#pragma once

#include "probes/observation.h"

#include <string>
#include <vector>

namespace tunnelwatch::cli {

// What one IKE probe's outcome means: "an IKEv2 responder answers: NO_PROPOSAL_CHOSEN, as it should to this offer".
std::string probe_meaning(const IkeProbeObservation& o);

// A line for a person.
std::string probe_line(const IkeProbeObservation& o);

// One JSON object for all ports.
std::string probe_json(const std::string& peer, const IpAddress& address,
                       const std::vector<IkeProbeObservation>& observations);

}  // namespace tunnelwatch::cli
