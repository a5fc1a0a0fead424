#pragma once

#include "probes/host/conntrack.h"
#include "probes/io/open_error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// Reads the kernel's connection tracking piece by piece: on a busy gateway it holds hundreds of thousands of
// connections, and the kernel makes each piece when it is read. Takes CAP_NET_ADMIN, else it says so. One thread.
class ConntrackSocket {
 public:
  enum class Progress : std::uint8_t { more, done };
  // Some thousand connections: what one call to go_on() may read.
  static constexpr int kDatagramsEachCall = 8;

  static boost::system::result<std::unique_ptr<ConntrackSocket>, OpenError> open();
  ~ConntrackSocket();
  ConntrackSocket(const ConntrackSocket&) = delete;
  ConntrackSocket& operator=(const ConntrackSocket&) = delete;

  // Asks for all connections of a family. The answer to the question before must have been read to its end.
  boost::system::result<void, OpenError> ask(IpFamily family);
  // Hands over the next of them.
  boost::system::result<Progress, OpenError> go_on(const std::function<void(const host::TrackedFlow&)>& take);

 private:
  explicit ConntrackSocket(int fd) : fd_(fd) {}

  int fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace tunnelwatch::io
