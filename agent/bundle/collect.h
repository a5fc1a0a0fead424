#pragma once

#include "agent/bundle/archive.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::bundle {

// Where a bundle's contents come from. Each may block.
struct Sources {
  struct Got {
    std::string text;
    std::string error;  // why there is none; empty: that is it
  };
  std::function<Got(const std::string& path)> ask;     // of the running daemon's API
  std::function<Got(const std::string& command)> run;  // what a command of this machine prints
  std::function<Got(const std::string& path)> read;    // a file
  std::vector<std::string> configuration;              // files, the main one first
  std::vector<std::string> recordings;                 // files, the newest first
};

struct Bundle {
  std::vector<Member> members;
  std::vector<std::string> missing;  // a sentence each
};

inline constexpr std::size_t kMostRecordedBytes = 64U << 20;  // of recordings; older ones are left out

// All that a support ticket wants, secrets removed from every text. What cannot be had is said, also in the bundle's
// own README.txt.
Bundle collect(const Sources& sources);

}  // namespace tunnelwatch::bundle
