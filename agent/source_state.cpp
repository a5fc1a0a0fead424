#include "agent/source_state.h"

#include "agent/log.h"

#include <utility>

#include <fmt/format.h>

namespace tunnelwatch::agent {

void SourceState::tell(std::string_view name, const std::string& error) {
  const bool was_up = up();
  const bool was_told = std::exchange(told_, true);
  if (was_told && error_ == error) return;
  error_ = error;
  const std::string what = fmt::format("source={} name={}", source_, log::quoted(name));
  if (error.empty()) {
    log::info("source_up", what);
  } else if (was_up || (!was_told && absence_ == Absence::news)) {
    log::warning("source_down", what + " reason=" + log::quoted(error));
  }
}

}  // namespace tunnelwatch::agent
