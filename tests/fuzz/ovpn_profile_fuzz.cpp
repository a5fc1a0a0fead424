#include "agent/cli/ovpn_report.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <string_view>

// Whatever a profile holds: it is read within its bounds, each finding is of one of its lines and has words, and what
// is told about it has no control characters.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  using host::OvpnProfile;
  const auto profile = host::parse_ovpn_profile({reinterpret_cast<const char*>(data), size});
  check(profile.remotes.size() <= OvpnProfile::kMaxRemotes && profile.problems.size() <= OvpnProfile::kMaxProblems);
  for (const auto slot : host::kOvpnMaterials)
    check(!(profile.*slot) || (profile.*slot)->text.size() <= OvpnProfile::kMaxBlock);
  for (const auto& remote : profile.remotes) check(remote.port != 0 && !remote.host.empty());

  const cli::OvpnReport report{"fuzz", profile.remotes,
                               agent::check_ovpn(profile, {WallTime{std::chrono::hours{500'000}}, {}})};
  for (const auto& finding : report.check.findings) {
    check(finding.line >= 1 && finding.line <= profile.last_line);
    check(!finding.text.en.empty() && !finding.text.zh.empty());
  }
  for (const auto language : {exporters::Language::en, exporters::Language::zh}) {
    const std::string text = cli::ovpn_text(report, language);
    check(std::none_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; }));
  }
  check(cli::ovpn_json(report).starts_with("{"));
  return 0;
}
