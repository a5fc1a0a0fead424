#pragma once

#include "probes/host/ovpn_profile.h"

#include <string>

namespace tunnelwatch::agent {

struct OvpnFile {
  host::OvpnProfile profile;
  std::string error;  // a sentence; empty: it was read
};

// Reads a profile and the files that it names, beside it where their names are relative. Only regular files of at most
// OvpnProfile::kMaxSize are read; a named file that cannot be is marked in the profile. A profile with zero bytes in it
// is no text, and an error.
OvpnFile read_ovpn(const std::string& path);

}  // namespace tunnelwatch::agent
