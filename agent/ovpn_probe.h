#pragma once

#include "config/ip_address.h"
#include "probes/active/openvpn_hello.h"
#include "probes/host/ovpn_profile.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::agent {

// What protects the control channel of a profile's client.
struct OvpnProtection {
  std::string_view option;  // "tls-auth", ...; empty: nothing does
  unsigned line = 0;
  // None where the key that the profile names cannot be had: a server would stay silent by design.
  std::optional<wire::OpenVpnWrap> wrap;
};
OvpnProtection protection_of(const host::OvpnProfile& profile);

// What became of asking one server of a profile.
struct OvpnSight {
  host::OvpnRemote server;
  std::string error{};                 // its name has no address
  std::optional<IpAddress> address{};  // the first that it stands for
  active::OpenVpnHelloResult hello{};
};

struct OvpnProbeOptions {
  std::chrono::milliseconds timeout{4000};  // of each step: name, connection, answer, certificate
};

// Asks all servers of a profile at once, and waits until each is told; at most four steps' time. Empty where the
// profile names a proxy: asked past it, a server says nothing about the profile.
std::vector<OvpnSight> probe_ovpn(const host::OvpnProfile& profile, const OvpnProbeOptions& options);

}  // namespace tunnelwatch::agent
