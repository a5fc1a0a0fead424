#include "agent/cli/commands.h"
#include "agent/cli/ovpn_report.h"
#include "agent/ovpn_files.h"
#include "agent/ovpn_judge.h"

#include <fmt/format.h>

namespace tunnelwatch::cli {

int check_ovpn(const CheckOvpnArguments& arguments) {
  agent::OvpnCheckOptions options;
  options.now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  if (!arguments.client.empty()) {
    options.client = agent::client_version(arguments.client);
    if (!options.client) {
      fmt::print(stderr, "tunnelwatch: {} is no version of an OpenVPN client, such as 2.5\n", arguments.client);
      return exit_usage;
    }
  }
  const agent::OvpnFile file = agent::read_ovpn(arguments.profile);
  if (!file.error.empty()) {
    fmt::print(stderr, "tunnelwatch: {}\n", file.error);
    return exit_usage;
  }
  OvpnReport report{.profile = arguments.profile,
                    .servers = file.profile.remotes,
                    .check = agent::check_ovpn(file.profile, options),
                    .protection = agent::protection_of(file.profile)};
  if (arguments.probe) {
    if (file.profile.proxy_line != 0)
      fmt::print(stderr, "tunnelwatch: the servers are asked by way of a proxy: not probed\n");
    report.sights = agent::probe_ovpn(file.profile, {});
    agent::judge_ovpn(file.profile, report.protection, report.sights, options.now, report.check);
  }
  if (arguments.json) {
    fmt::print("{}\n", ovpn_json(report));
  } else {
    fmt::print("{}", ovpn_text(report, arguments.chinese ? exporters::Language::zh : exporters::Language::en));
  }
  return agent::has_fault(report.check.findings) ? exit_fault_found : exit_ok;
}

}  // namespace tunnelwatch::cli
