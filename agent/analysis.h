#pragma once

#include "agent/timeline.h"
#include "exporters/report.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::agent {

struct AnalysisOptions {
  // Logs of the same time, read beside the captures or alone: what they name joins what the packets show.
  std::vector<std::string> logs;
  // The story of the capture, written as it is read.
  std::optional<TimelineOptions> timeline;
  Timeline::Write write;
  // Told now and then how much of the files is read, and how much there is; never where that is not known.
  std::function<void(std::uint64_t read, std::uint64_t total)> on_progress;
};

// The diagnosis of capture files ("-": standard input), read as one in the order of their stamps, in bounded memory.
// Without any, that of the logs alone. The error is one sentence: a file of which nothing can be read. `warnings` gets
// what did not stop it, a sentence each: files that end inside a packet or are damaged behind their first packets,
// packets left out, and what logs name of which nobody knows whose it is.
boost::system::result<exporters::Report, std::string> analyze_captures(std::span<const std::string> paths,
                                                                       std::vector<std::string>& warnings,
                                                                       const AnalysisOptions& options = {});

}  // namespace tunnelwatch::agent
