#include "agent/analysis.h"
#include "agent/cli/commands.h"
#include "agent/cli/progress_bar.h"
#include "agent/cli/terminal.h"
#include "exporters/json/report_json.h"
#include "exporters/text/report_text.h"
#include "probes/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace {

void print(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

exporters::Language language_of(const AnalyzeArguments& arguments) {
  return arguments.chinese ? exporters::Language::zh : exporters::Language::en;
}

void print_report(const exporters::Report& report, const AnalyzeArguments& arguments) {
  if (arguments.json) {
    exporters::write_report_json(report,
                                 [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });
    std::fputc('\n', stdout);
    return;
  }
  exporters::TextOptions options;
  options.language = language_of(arguments);
  options.colour = wants_colour();
  options.events = 20;
  fmt::print("{}{}", arguments.timeline ? "\n" : "", exporters::report_text(report, options));
}

}  // namespace

int analyze(const AnalyzeArguments& arguments) {
  if (arguments.captures.empty() && arguments.logs.empty()) {
    fmt::print(stderr, "tunnelwatch: analyze takes capture files, --log FILE, or both\n");
    return exit_usage;
  }
  if (arguments.timeline && arguments.json) {
    fmt::print(stderr, "tunnelwatch: --timeline is text for people and --json one object for programs: choose one\n");
    return exit_usage;
  }
  agent::AnalysisOptions options;
  options.logs = arguments.logs;
  if (arguments.timeline) {
    options.timeline = {.language = language_of(arguments), .colour = wants_colour()};
    options.write = [](std::string_view lines) { print(stdout, lines); };
  }
  // A bar between the lines of a timeline on the same terminal would be in their way.
  ProgressBar bar(steady_now());
  if (isatty(STDERR_FILENO) == 1 && !(arguments.timeline && isatty(STDOUT_FILENO) == 1)) {
    options.on_progress = [&bar](std::uint64_t read, std::uint64_t total) {
      if (const auto line = bar.update(read, total, steady_now())) print(stderr, *line);
    };
  }
  std::vector<std::string> warnings;
  const auto report = agent::analyze_captures(arguments.captures, warnings, options);
  print(stderr, bar.erase());
  for (const auto& w : warnings) fmt::print(stderr, "tunnelwatch: {}\n", w);
  if (!report) {
    fmt::print(stderr, "tunnelwatch: {}\n", report.error());
    return exit_usage;
  }
  print_report(*report, arguments);
  const bool fault = std::any_of(report->tunnels.begin(), report->tunnels.end(), [](const auto& t) {
    return std::any_of(t.causes.begin(), t.causes.end(),
                       [](const auto& c) { return c.active && c.severity != "notice"; });
  });
  return fault ? exit_fault_found : exit_ok;
}

}  // namespace tunnelwatch::cli
