#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/commands.h"
#include "version.h"

// argv -> command -> exit code.
int main(int argc, char** argv) {
  using namespace tunnelwatch;
  CLI::App app{"Watches IPsec tunnels from the customer's gateway and names what breaks them.", "tunnelwatch"};
  app.set_version_flag("--version", std::string("tunnelwatch ") + kVersion);
  app.require_subcommand(1);
  int code = cli::exit_usage;

  cli::AnalyzeArguments analyze;
  auto* analyze_command = app.add_subcommand("analyze", "Diagnose capture files (pcap, pcapng, gzip; - is standard input)");
  analyze_command->add_option("CAPTURE", analyze.captures, "Capture files")->required();
  analyze_command->add_flag("--json", analyze.json, "Print one JSON object");
  analyze_command->add_flag("--zh", analyze.chinese, "Print in Chinese");
  analyze_command->callback([&] { code = cli::analyze(analyze); });

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
