#include "agent/probing/line_feed.h"

#include "probes/io/default_interfaces.h"
#include "probes/io/interface_counters.h"
#include "probes/io/local_addresses.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kEvery = 1s;

// What was read of an interface, each once.
struct Line {
  std::optional<io::InterfaceCounters> bytes;
  std::optional<diagnosis::QueueCounters> queue;
};

// The configured egress, else the interface that holds the tunnel's address, else that of the only default route.
std::string line_of(const config::Tunnel& tunnel, const std::vector<std::string>& defaults) {
  if (!tunnel.egress_interface.empty()) return tunnel.egress_interface;
  if (!tunnel.local_interface.empty()) return tunnel.local_interface;
  return defaults.size() == 1 ? defaults.front() : std::string();
}

Line read(const std::string& interface, const std::optional<host::EgressQueues>& queues) {
  Line line;
  if (interface.empty()) return line;
  line.bytes = io::interface_counters(interface);
  const auto index = io::interface_index(interface);
  if (!queues || !index) return line;
  const auto queue = queues->find(*index);
  if (queue != queues->end()) line.queue = diagnosis::QueueCounters{queue->second.packets, queue->second.drops};
  return line;
}

void feed_line(diagnosis::LineEvidence& evidence, const std::string& interface, const Line& line, std::uint64_t limit,
               TimePoint now) {
  if (line.queue) {
    evidence.on_queue(interface, *line.queue, now);
  } else {
    evidence.on_blind_queue();
  }
  if (limit == 0 && evidence.limit() == 0) return;
  evidence.set_limit(limit);
  if (line.bytes) {
    evidence.on_counters(interface, {line.bytes->sent_bytes, line.bytes->received_bytes}, now);
  } else {
    evidence.on_blind();
  }
}

}  // namespace

std::optional<host::EgressQueues> LineFeed::queues() {
  if (!socket_) {
    auto opened = io::QueueSocket::open();
    if (!opened) return std::nullopt;
    socket_ = std::move(*opened);
  }
  auto read = socket_->read();
  return read ? std::optional(std::move(*read)) : std::nullopt;
}

void LineFeed::feed(const Watch& watch, TimePoint now) {
  if (now < next_ || watch.tunnels().empty()) return;
  next_ = now + kEvery;
  const auto defaults = io::default_interfaces();
  const auto queues = this->queues();
  std::map<std::string, Line> lines;
  for (const auto& tunnel : watch.tunnels()) {
    const std::string interface = line_of(tunnel->settings(), defaults);
    const auto [it, is_new] = lines.try_emplace(interface);
    if (is_new) it->second = read(interface, queues);
    feed_line(tunnel->evidence().line(), interface, it->second, tunnel->settings().bandwidth.egress, now);
  }
}

}  // namespace tunnelwatch::agent
