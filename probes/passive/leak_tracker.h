#pragma once

#include "probes/passive/traffic_interest.h"
#include "probes/passive/traffic_observation.h"
#include "probes/wire/datagram.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::passive {

// Packets to a tunnel's remote subnets that leave this interface in clear, counted for each tunnel of the interest.
// Arriving packets are none: on a LAN all traffic towards the tunnel arrives so, and the kernel shows what it decrypted
// as arriving a second time (that goes to the local subnets besides). Whoever owns the capture keeps this away from the
// tunnels' own interfaces; a NIC that encrypts whole packets itself shows them in clear and cannot be told from a leak.
// Memory: one entry for each tunnel and subnet of the interest, whatever the traffic.
class LeakTracker {
 public:
  static constexpr std::uint64_t kTellAt = 3;                   // packets of a run: told at once, then by summary
  static constexpr Duration kPause = std::chrono::seconds(15);  // a run ends
  static constexpr Duration kOuterLately = std::chrono::minutes(10);

  void set_interest(const TrafficInterest& interest);
  // IKE or ESP between these addresses was seen here.
  void on_outer(const IpAddress& source, const IpAddress& destination, TimePoint at);
  // Any other IP packet. The summaries that are worth telling at once are appended.
  void on_packet(const wire::Datagram& packet, TimePoint at, std::vector<LeakSummary>& out);
  // The runs that grew since the last call.
  void collect(std::vector<LeakSummary>& out);

  bool watches() const { return !remote_.empty(); }

 private:
  struct Entry {
    TunnelInterest interest;
    std::optional<TimePoint> outer;
    LeakSummary run;
    std::uint64_t told = 0;
  };
  // The remote subnets of one length: a look-up for each length that occurs, whatever their number.
  struct SameLength {
    IpFamily family = IpFamily::v4;
    unsigned length = 0;
    std::unordered_map<IpAddress, std::vector<std::size_t>, IpAddressHash> entries;
  };
  enum class Source : std::uint8_t { foreign, local, translated };

  void add(const IpPrefix& remote_subnet, std::size_t entry);
  Source source_of(const Entry& entry, const wire::Datagram& packet) const;
  bool is_own_echo(const wire::Datagram& packet) const;
  bool is_own(const IpAddress& address) const;
  void count(Entry& entry, const wire::Datagram& packet, bool translated, TimePoint at, std::vector<LeakSummary>& out);
  LeakSummary summary(const Entry& entry) const;

  std::vector<Entry> entries_;
  std::vector<SameLength> remote_;                                                          // the longest first
  std::unordered_map<IpAddress, std::vector<std::size_t>, IpAddressHash> entries_by_peer_;  // outer addresses
  std::vector<IpAddress> own_addresses_;
  std::optional<std::uint16_t> own_echo_id_;
};

}  // namespace tunnelwatch::passive
