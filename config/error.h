#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tunnelwatch::config {

// One thing wrong with a configuration, told so that an editor can jump to it.
struct ConfigError {
  std::string file;
  int line = 0;         // from 1; 0: about the file, or about settings that came from no file
  int column = 0;       // from 1, in bytes
  std::string path;     // "tunnels[2].remote", as in `file`; empty: about the whole
  std::string message;  // a sentence without a full stop

  bool operator==(const ConfigError&) const = default;
};

// The most that are listed at once; a file with more is not a configuration.
inline constexpr std::size_t kMaxErrors = 100;

// "file:line:column: key.path: sentence", without the parts that are not known.
std::string to_string(const ConfigError& error);

// How text of a configuration is quoted in a message: cut at 40 bytes, control bytes replaced.
std::string shown(std::string_view text);

}  // namespace tunnelwatch::config
