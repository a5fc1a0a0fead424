#pragma once

#include "config/load.h"

#include <filesystem>
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

// A directory of one test, removed with it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tunnelwatch-config-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string write(const std::string& name, std::string_view text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tunnelwatch::config::testing
