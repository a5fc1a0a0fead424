#include "agent/cli/commands.h"
#include "version.h"

#include <exception>

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
