#pragma once

#include "config/error.h"
#include "config/settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::config {

struct LoadResult {
  std::optional<Settings> settings;   // absent where there are errors
  std::vector<ConfigError> errors;    // all of them, by file and place; the first kMaxErrors
  std::vector<ConfigError> warnings;  // told beside settings too
  std::vector<std::string> files;     // that were read, the main file first

  explicit operator bool() const { return settings.has_value(); }
};

// Reads and validates a configuration. No exception leaves either; both may block on the file system only.
//
// load_file also reads the drop-ins, `*.yaml` in Settings::include_dir (relative to the file's own directory), by name.
// Each holds a list of tunnels and nothing else. That the directory is absent is an error only where the file names it.
// At most kMaxDropIns files of 1 MiB, kMaxDropInBytes in all.
//
// load_text has no directory and reads no drop-ins; `file_name` is what errors tell.
LoadResult load_file(const std::string& path);
LoadResult load_text(std::string_view text, const std::string& file_name);

inline constexpr std::size_t kMaxDropIns = 1024;
inline constexpr std::size_t kMaxDropInBytes = 8U << 20;

}  // namespace tunnelwatch::config
