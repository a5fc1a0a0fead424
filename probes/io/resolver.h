#pragma once

#include "config/ip_address.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// The addresses of a name in the resolver's order without repetition, or why there are none. `error` is empty exactly
// where there are addresses.
struct Resolution {
  std::string name;
  std::vector<IpAddress> addresses;
  std::string error;
};

// Names to addresses in the background. The system's resolver blocks and cannot be stopped, so it runs on at most four
// threads of its own that share nothing with us but a queue: a request that takes longer than its deadline ends with an
// error, and destroying the Resolver never waits for them (a thread that is stuck goes on alone and its answer is
// dropped). Belongs to the thread of its io_context.
class Resolver {
 public:
  using Handler = std::function<void(const Resolution&)>;
  // What does the look-up, on a thread of the Resolver: getaddrinfo, or a test's own. Must not throw.
  using Lookup = std::function<Resolution(const std::string& name)>;

  explicit Resolver(boost::asio::io_context& io, std::chrono::milliseconds deadline = std::chrono::seconds{5},
                    Lookup lookup = system_lookup);
  ~Resolver();  // handlers that were not called yet never are
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls `handler` once on the io_context, never from within this call. At most kMaxPending wait; beyond that the
  // answer is an error.
  void resolve(const std::string& name, Handler handler);

  static constexpr std::size_t kMaxPending = 4096;
  static Resolution system_lookup(const std::string& name);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
