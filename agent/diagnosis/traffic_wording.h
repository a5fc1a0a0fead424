#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/passive/traffic_observation.h"

#include <string_view>

// What was seen beside IKE, as sentences for the operator, in both languages.
namespace tunnelwatch::diagnosis {

Text describe_leak(const passive::LeakSummary& leak, std::string_view interface);

}  // namespace tunnelwatch::diagnosis
