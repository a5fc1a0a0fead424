#pragma once

#include "agent/watch.h"
#include "probes/io/queue_socket.h"

#include <memory>
#include <optional>

namespace tunnelwatch::agent {

// Tells the tunnels what the queue of their line drops, and where its bandwidth is known what it carries, once a
// second.
class LineFeed {
 public:
  void feed(const Watch& watch, TimePoint now);

 private:
  std::optional<host::EgressQueues> queues();

  std::unique_ptr<io::QueueSocket> socket_;
  TimePoint next_{};
};

}  // namespace tunnelwatch::agent
