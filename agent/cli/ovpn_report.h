#pragma once

#include "agent/ovpn_check.h"
#include "agent/ovpn_probe.h"
#include "exporters/text/report_text.h"

#include <string>

namespace tunnelwatch::cli {

// What a checked profile is told as.
struct OvpnReport {
  std::string profile;  // its path
  std::vector<host::OvpnRemote> servers;
  agent::OvpnCheck check;
  agent::OvpnProtection protection{};
  std::vector<agent::OvpnSight> sights{};  // of all servers, in their order; empty: nobody was asked
};

// Servers, certificates, then the findings by line with their row of the guide and the next step.
std::string ovpn_text(const OvpnReport& report, exporters::Language language);

// The same as one JSON object.
std::string ovpn_json(const OvpnReport& report);

}  // namespace tunnelwatch::cli
