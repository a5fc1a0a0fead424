#pragma once

#include "config/settings.h"

#include <memory>
#include <string>

namespace tunnelwatch::agent {

// The daemon: owns every part, wires them together, starts, reloads and stops them. One io_context on the caller's
// thread decides everything; capture runs on a thread for each interface.
class Agent {
 public:
  // `config_file` empty: the embedded default; then SIGHUP has nothing to reload.
  Agent(config::Settings settings, std::string config_file);
  ~Agent();

  // Until SIGTERM or SIGINT. Returns the process's exit code; what keeps it from starting is logged as one sentence.
  int run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::agent
