#pragma once

#include "probes/passive/traffic_interest.h"
#include "probes/passive/traffic_observation.h"
#include "probes/wire/datagram.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::passive {

// The peer's echo requests to this end's address inside the tunnel, and whether they are answered, counted for each
// tunnel of the interest. Memory: kPending requests for each of them.
class TunnelPings {
 public:
  static constexpr std::size_t kPending = 32;
  static constexpr Duration kTimeout = std::chrono::seconds(1);

  void set_interest(const TrafficInterest& interest);
  // A packet of kind icmp_echo.
  void on_packet(const wire::Datagram& echo, TimePoint at);
  // Those that were asked since the last call, or are known to be unanswered only now.
  void collect(TimePoint now, std::vector<TunnelPingSummary>& out);

 private:
  struct Request {
    std::uint32_t id_and_sequence = 0;
    TimePoint at{};
  };
  struct Entry {
    std::string tunnel;
    IpAddress local;
    TunnelPingSummary counts;
    std::deque<Request> pending;
    bool changed = false;
  };

  static void expire(Entry& entry, TimePoint now);
  static void give_up(Entry& entry, const Request& request);

  std::vector<Entry> entries_;
  std::unordered_map<IpAddress, std::vector<std::size_t>, IpAddressHash> by_address_;  // inside, of this end
};

}  // namespace tunnelwatch::passive
