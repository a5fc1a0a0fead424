#pragma once

#include <string>
#include <sys/types.h>

namespace tunnelwatch::io {

// A network namespace of this test alone, with loopback up, that the calling thread is in while the object lives. It
// has no way out: what is sent here stays here. Throws with a sentence where it cannot be made, so that a test without
// root fails instead of passing for nothing.
class NetNamespace {
 public:
  NetNamespace();
  ~NetNamespace();
  NetNamespace(const NetNamespace&) = delete;
  NetNamespace& operator=(const NetNamespace&) = delete;

  // Runs a shell command in here (children inherit the thread's namespace) and gives its output; throws if it fails.
  static std::string run(const std::string& command);
  // Feeds `script` to a command's standard input.
  static void feed(const std::string& command, const std::string& script);

 private:
  int before_ = -1;
};

}  // namespace tunnelwatch::io
