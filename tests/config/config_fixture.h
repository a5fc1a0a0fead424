#pragma once

#include "config/load.h"
#include "tests/support/temporary_folder.h"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::config::testing {

// Errors as the operator sees them.
inline std::vector<std::string> lines(const std::vector<ConfigError>& errors) {
  std::vector<std::string> text;
  for (const auto& error : errors) text.push_back(to_string(error));
  return text;
}

inline std::vector<std::string> errors_of(std::string_view yaml) { return lines(load_text(yaml, "f").errors); }

inline std::string read_source(const std::string& path) {
  std::ifstream in(std::string(TUNNELWATCH_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(in.is_open()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace tunnelwatch::config::testing
