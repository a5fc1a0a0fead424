#include "agent/cli/commands.h"
#include "version.h"

#include <exception>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

// argv -> command -> exit code.
int main(int argc, char** argv) {
  using namespace tunnelwatch;
  CLI::App app{"Watches IPsec tunnels from the customer's gateway and names what breaks them.", "tunnelwatch"};
  app.set_version_flag("--version", std::string("tunnelwatch ") + kVersion);
  app.require_subcommand(1);
  int code = cli::exit_usage;

  cli::AnalyzeArguments analyze;
  auto* analyze_command =
      app.add_subcommand("analyze", "Diagnose capture files (pcap, pcapng, gzip; - is standard input)");
  analyze_command->add_option("CAPTURE", analyze.captures, "Capture files");
  analyze_command
      ->add_option("--log", analyze.logs,
                   "A log of the gateway, of its peer or of the cloud, beside the captures or alone")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  analyze_command->add_flag("--json", analyze.json, "Print one JSON object");
  analyze_command->add_flag("--zh", analyze.chinese, "Print in Chinese");
  analyze_command->add_flag("--timeline", analyze.timeline, "Print each message and what it means before the report");
  analyze_command->callback([&] { code = cli::analyze(analyze); });

  cli::RunArguments run;
  auto* run_command = app.add_subcommand("run", "Run the daemon in the foreground");
  run_command->add_option("--config", run.config,
                          "YAML file; without one: discover peers on the interfaces with a default route");
  run_command->callback([&] { code = cli::run(run); });

  cli::CheckConfigArguments check;
  auto* check_command = app.add_subcommand("check-config", "Check a configuration and its drop-ins");
  check_command->add_option("FILE", check.config, "YAML file")->required();
  check_command->add_flag("--print", check.print, "Print the effective settings");
  check_command->callback([&] { code = cli::check_config(check); });

  cli::StatusArguments status;
  auto* status_command = app.add_subcommand("status", "Ask the running daemon");
  status_command->add_option("--host", status.host, "Its address")->capture_default_str();
  status_command->add_option("--port", status.port, "Its port")->capture_default_str();
  status_command->add_flag("--json", status.json, "Print one JSON object");
  status_command->add_flag("--zh", status.chinese, "Print in Chinese");
  status_command->callback([&] { code = cli::status(status); });

  cli::TraceArguments trace;
  auto* trace_command = app.add_subcommand(
      "trace", "Where ICMP, UDP 500, UDP 4500, ESP and large packets get to on the way to a peer, side by side");
  trace_command->add_option("PEER", trace.peer, "Its address or name")->required();
  trace_command->add_option("--source", trace.source, "The own address to send from");
  trace_command->add_option("--max-hops", trace.max_hops, "Hops to ask at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  trace_command->add_option("--flows", trace.flows, "Flows of ICMP and of each UDP port, for paths that share load")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  trace_command->add_option("--interval", trace.interval, "Milliseconds between two packets")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  trace_command->add_flag("--json", trace.json, "Print one JSON object");
  trace_command->callback([&] { code = cli::trace(trace); });

  cli::ProbeArguments probe;
  auto* probe_command =
      app.add_subcommand("probe", "Ask a peer once, on UDP 500 and 4500 and by ESP, without leaving anything behind");
  probe_command->add_option("PEER", probe.peer, "Its address or name")->required();
  probe_command->add_option("--port", probe.ports, "Only this port (500 or 4500)")
      ->check(CLI::IsMember(std::set<std::uint16_t>{500, 4500}));
  probe_command->add_option("--version", probe.version, "Only this version of IKE (1 or 2)")->check(CLI::Range(1, 2));
  probe_command->add_option("--source", probe.source, "The own address to send from");
  probe_command->add_flag("--json", probe.json, "Print one JSON object");
  probe_command->callback([&] { code = cli::probe(probe); });

  cli::BundleArguments bundle;
  auto* bundle_command = app.add_subcommand(
      "bundle", "Put a support ticket's evidence into one archive, secrets removed; also while the daemon is down");
  bundle_command->add_option("--output", bundle.output, "The archive; without it, tunnelwatch-bundle-TIME.tar.gz here");
  bundle_command->add_option("--config", bundle.config, "The daemon's configuration")->capture_default_str();
  bundle_command->add_option("--host", bundle.host, "The daemon's address")->capture_default_str();
  bundle_command->add_option("--port", bundle.port, "Its port")->capture_default_str();
  bundle_command->callback([&] { code = cli::bundle(bundle); });

  cli::CheckOvpnArguments ovpn;
  auto* ovpn_command = app.add_subcommand("check-ovpn", "Check an OpenVPN client's profile and its certificates");
  ovpn_command->add_option("PROFILE", ovpn.profile, "The .ovpn file")->required();
  ovpn_command->add_option("--client-version", ovpn.client, "Of the OpenVPN client that will read it, such as 2.5");
  ovpn_command->add_flag("--probe", ovpn.probe, "Ask its servers, as a client begins, as far as their certificates");
  ovpn_command->add_flag("--json", ovpn.json, "Print one JSON object");
  ovpn_command->add_flag("--zh", ovpn.chinese, "Print in Chinese");
  ovpn_command->callback([&] { code = cli::check_ovpn(ovpn); });

  cli::CausesArguments causes;
  auto* causes_command = app.add_subcommand("causes", "List every cause that can be told");
  auto* as_json = causes_command->add_flag("--json", causes.json, "Print JSON");
  causes_command->add_flag("--markdown", causes.markdown, "Print a Markdown table")->excludes(as_json);
  causes_command->callback([&] { code = cli::causes(causes); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool asked_for_help = e.get_exit_code() == 0;
    app.exit(e);
    return asked_for_help ? cli::exit_ok : cli::exit_usage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "tunnelwatch: {}\n", e.what());
    return cli::exit_usage;
  }
  return code;
}
