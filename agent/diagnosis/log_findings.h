#pragma once

#include "agent/diagnosis/rules.h"

#include <vector>

namespace tunnelwatch::diagnosis {

// Adds what logs named to what the rules found, each cause once:
//  - a cause that both name is told with both pieces of evidence, and surer for it;
//  - a line that says which of several look-alikes it was ends the guessing: the others are not told, their evidence
//    becomes that of the cause which the line names;
//  - a cause that only a log names is told, but as over where the tunnel is seen to work.
void join_logs(const Facts& facts, std::vector<Finding>& findings);

}  // namespace tunnelwatch::diagnosis
