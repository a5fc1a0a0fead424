#pragma once

#include "agent/diagnosis/catalogue.h"
#include "exporters/report.h"
#include "probes/host/ovpn_profile.h"
#include "probes/time.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What an OpenVPN profile is checked for: chapter 3 of the guide. A function of the profile and the time; no I/O.
namespace tunnelwatch::agent {

struct OvpnFinding {
  // None for what the client stops at and the guide has no row for.
  std::optional<diagnosis::Cause> cause;
  diagnosis::Severity severity{};
  unsigned line = 1;
  exporters::Text text;     // one sentence without control characters; holds nothing of a private key
  bool foreign_ca = false;  // the client's certificate is not of the profile's own CA: a server may know better
};

// A certificate of the profile, as a person wants to see it.
struct OvpnCertificate {
  unsigned line = 1;
  std::string_view block;  // "ca" or "cert"
  std::string subject;     // printable
  std::string issuer;
  WallTime not_before{};
  WallTime not_after{};
};

struct ClientVersion {
  unsigned major = 0;
  unsigned minor = 0;
  auto operator<=>(const ClientVersion&) const = default;
};
// "2.6" or "2.5.9"; nothing for any other text.
std::optional<ClientVersion> client_version(std::string_view text);

struct OvpnCheckOptions {
  WallTime now{};
  std::optional<ClientVersion> client;  // none: not told
};

struct OvpnCheck {
  std::vector<OvpnFinding> findings;  // by line
  std::vector<OvpnCertificate> certificates;
};

// A certificate that ends within this time is a finding.
inline constexpr std::chrono::hours kOvpnExpirySoon{30 * 24};

// `profile` with the texts of the files that it names filled in, or marked as unreadable.
OvpnCheck check_ovpn(const host::OvpnProfile& profile, const OvpnCheckOptions& options);

// In the order of their lines, the worst first on one line.
void sort_findings(std::vector<OvpnFinding>& findings);
bool has_fault(const std::vector<OvpnFinding>& findings);

}  // namespace tunnelwatch::agent
