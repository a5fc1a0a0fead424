#pragma once

#include "agent/ovpn_check.h"
#include "agent/ovpn_probe.h"

#include <string>
#include <vector>

// What the servers of a profile said to its probe, judged by the profile. No I/O.
namespace tunnelwatch::agent {

// What became of asking one server, as a sentence.
exporters::Text sight_words(const OvpnSight& sight, const OvpnProtection& protection);

// Adds to `check` what the sights say: servers that do not answer, certificates that the client would refuse, and a
// client's certificate that the server would. Takes back what they deny: a server that names the CA of the client's
// certificate as one of its own.
void judge_ovpn(const host::OvpnProfile& profile, const OvpnProtection& protection,
                const std::vector<OvpnSight>& sights, WallTime now, OvpnCheck& check);

}  // namespace tunnelwatch::agent
