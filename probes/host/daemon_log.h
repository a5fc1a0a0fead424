#pragma once

#include "probes/host/vici.h"

#include <string>
#include <vector>

namespace tunnelwatch::host {

// The lines of vici's message log, written as charon writes them into a file: "05[IKE] <tun|3> giving up after ...".
// Details (above level 1) are left out.
void add_log_lines(const ViciSection& log, std::vector<std::string>& out);

}  // namespace tunnelwatch::host
