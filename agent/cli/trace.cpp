#include "agent/cli/commands.h"
#include "agent/cli/peer_address.h"
#include "agent/cli/trace_json.h"
#include "agent/cli/trace_table.h"
#include "agent/path_probe.h"
#include "agent/path_words.h"
#include "probes/active/keyed_random.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};

// A table that is drawn over itself.
class LiveTable {
 public:
  void draw(const std::string& text, bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (!at_once && now - drawn_at_ < kRedrawEvery) return;
    drawn_at_ = now;
    if (lines_ != 0) fmt::print("\x1b[{}A\x1b[J", lines_);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    lines_ = std::count(text.begin(), text.end(), '\n');
  }

 private:
  std::chrono::steady_clock::time_point drawn_at_{};
  std::ptrdiff_t lines_ = 0;
};

void print_findings(const agent::PathProbe& probe, const std::vector<active::TraceFinding>& findings) {
  fmt::print("\n");
  for (const auto& sentence : agent::comparison_words(probe.trace(), findings)) fmt::print("{}\n", sentence);
  fmt::print("{}\n", agent::mtu_words(probe.mtu()));
}

}  // namespace

int trace(const TraceArguments& arguments) {
  const auto target = peer_address(arguments.peer, std::nullopt);
  if (!target) return exit_usage;
  agent::PathProbeOptions options;
  options.target = *target;
  bool valid = false;
  options.source = source_address(arguments.source, target->family(), valid);
  if (!valid) return exit_usage;
  options.max_hops = static_cast<std::uint8_t>(arguments.max_hops);
  options.flows = static_cast<std::uint8_t>(arguments.flows);
  options.interval = std::chrono::milliseconds{arguments.interval};

  boost::asio::io_context io{1};
  const bool live = !arguments.json && isatty(STDOUT_FILENO) == 1;
  LiveTable table;
  std::unique_ptr<agent::PathProbe> probe;
  agent::PathProbe::Handlers handlers;
  handlers.on_change = [&] {
    if (live) table.draw(trace_table(probe->trace()), false);
  };
  handlers.on_done = [&] { io.stop(); };
  auto started = agent::PathProbe::start(io, options, active::random_seed(), std::move(handlers));
  if (!started) {
    fmt::print(stderr, "tunnelwatch: {}\n", started.error().sentence);
    return exit_usage;
  }
  probe = std::move(*started);
  if (!arguments.json) {
    fmt::print("{} ({}) from {}, {} hops at most\n", arguments.peer, target->to_string(),
               probe->route().source.to_string(), arguments.max_hops);
  }
  io.run();
  const auto findings = active::compare_flows(probe->trace().flows());
  if (arguments.json) {
    fmt::print("{}\n", trace_json(arguments.peer, *probe));
  } else {
    table.draw(trace_table(probe->trace()), true);
    print_findings(*probe, findings);
  }
  return agent::path_has_fault(findings, probe->mtu()) ? exit_fault_found : exit_ok;
}

}  // namespace tunnelwatch::cli
