#pragma once

#include "config/settings.h"
#include "exporters/report.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::exporters {

// What the server asks the agent, always on the io_context's thread.
struct Handlers {
  std::function<Report(Detail)> report;                 // called at each request that needs one, one at a time
  std::function<std::vector<std::string>()> not_ready;  // reasons in a person's words; empty: ready
  std::span<const CauseInfo> causes;                    // outlives the server
};

struct ServerLimits {
  std::size_t connections = 64;
  std::size_t header_bytes = 8192;
  std::size_t pending_bytes = 128U << 20;          // of bodies on their way; above it reports are refused with 503
  std::chrono::milliseconds header_timeout{5000};  // from accept or a request's first byte to the end of its header
  std::chrono::milliseconds idle_timeout{30000};   // between requests of one connection
  std::chrono::milliseconds write_timeout{10000};  // without progress
  std::chrono::milliseconds stalled_after{1000};   // a writer without progress for so long may be closed for a new one
};

// GET and HEAD of /metrics /healthz /readyz /api/v1/report[?tunnel=NAME] /api/v1/causes and the page, over HTTP/1.1.
//
// Runs on the caller's io_context; only rendering and compressing a report, which takes tens of milliseconds on a large
// gateway, happens on a thread of its own, from a Report by value. Connections are bounded: one too many closes the
// oldest that waits for its client, so that half-open clients cannot keep a scrape out.
class Server {
 public:
  Server(boost::asio::io_context& io, Handlers handlers, ServerLimits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens there, and there only from now on; port 0 takes a free one. Where that fails: a sentence for the operator,
  // and the address before stays. Connections that exist live on.
  [[nodiscard]] std::optional<std::string> listen(const config::ListenAddress& address);
  std::uint16_t port() const;  // 0: not listening

  // Closes the listener and all connections; nothing is called from then on. Waits for the renderer, some 50 ms at
  // most.
  void stop();

  HttpReport counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::exporters
