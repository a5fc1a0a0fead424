#pragma once

#include "probes/observation.h"

#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::cli {

// What one IKE probe's outcome means: "an IKEv2 responder answers: NO_PROPOSAL_CHOSEN, as it should to this offer".
std::string probe_meaning(const IkeProbeObservation& o);

// A line for a person.
std::string probe_line(const IkeProbeObservation& o);

// What a packet of protocol 50 told.
struct ProbedEsp {
  std::optional<EspProbeObservation> observation;  // nothing: it was not sent
  std::string verdict;                             // reachable, unreachable, unknown
  std::string meaning;
};
std::string esp_line(const ProbedEsp& esp);
// Somebody on the way to the peer refuses it. A peer that takes no protocol 50 itself may well speak ESP in UDP.
bool is_esp_blocked(const ProbedEsp& esp);

// One JSON object for all ports, and ESP where it was asked.
std::string probe_json(const std::string& peer, const IpAddress& address,
                       const std::vector<IkeProbeObservation>& observations,
                       const std::optional<ProbedEsp>& esp = std::nullopt);

}  // namespace tunnelwatch::cli
