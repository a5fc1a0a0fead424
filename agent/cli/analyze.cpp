#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "agent/analysis.h"
#include "agent/cli/commands.h"
#include "exporters/json/report_json.h"
#include "exporters/text/report_text.h"

namespace tunnelwatch::cli {

int analyze(const AnalyzeArguments& arguments) {
  std::vector<std::string> warnings;
  const auto report = agent::analyze_captures(arguments.captures, warnings);
  for (const auto& w : warnings) fmt::print(stderr, "tunnelwatch: {}\n", w);
  if (!report) {
    fmt::print(stderr, "tunnelwatch: {}\n", report.error());
    return exit_usage;
  }
  if (arguments.json) {
    fmt::print("{}\n", exporters::report_json(*report));
  } else {
    exporters::TextOptions options;
    options.language = arguments.chinese ? exporters::Language::zh : exporters::Language::en;
    options.colour = isatty(STDOUT_FILENO) == 1;
    options.events = 20;
    fmt::print("{}", exporters::report_text(*report, options));
  }
  const bool fault = std::any_of(report->tunnels.begin(), report->tunnels.end(), [](const auto& t) {
    return std::any_of(t.causes.begin(), t.causes.end(), [](const auto& c) { return c.active; });
  });
  return fault ? exit_fault_found : exit_ok;
}

}  // namespace tunnelwatch::cli
