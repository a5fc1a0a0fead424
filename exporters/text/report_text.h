#pragma once

#include "exporters/report.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tunnelwatch::exporters {

enum class Language : std::uint8_t { en, zh };

struct TextOptions {
  Language language = Language::en;
  bool colour = false;  // ANSI; for a terminal only
  std::size_t columns = 80;
  std::size_t events = 5;  // the newest of each tunnel
};

// The report for a person: a line of sums, then for each tunnel its state, the causes in the guide's words with
// evidence, next step and alternatives, what cannot be seen, loss and the newest events; then what is wrong with the
// agent itself. Times are UTC. What peers and files said comes without control characters.
std::string report_text(const Report& report, const TextOptions& options = {});

}  // namespace tunnelwatch::exporters
