#include "tests/probes/io/net_namespace.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

namespace tunnelwatch::io {

// Unnamed, so that the kernel removes it with its last process and no crash leaves one behind.
NetNamespace::NetNamespace() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (before_ < 0 || unshare(CLONE_NEWNET) != 0) {
    throw std::runtime_error(std::string("this test needs root, for a network namespace of its own: ") +
                             std::strerror(errno));
  }
  run("ip link set lo up");
}

NetNamespace::~NetNamespace() {
  if (setns(before_, CLONE_NEWNET) != 0) std::abort();  // the tests after this one would run in the wrong place
  ::close(before_);
}

std::string NetNamespace::run(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), n);
  if (const int status = pclose(pipe); status != 0) {
    throw std::runtime_error(command + " failed (" + std::to_string(status) + "): " + output);
  }
  return output;
}

void NetNamespace::feed(const std::string& command, const std::string& script) {
  FILE* pipe = popen(command.c_str(), "we");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::fwrite(script.data(), 1, script.size(), pipe);
  if (pclose(pipe) != 0) throw std::runtime_error(command + " refused: " + script);
}

}  // namespace tunnelwatch::io
