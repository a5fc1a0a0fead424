#pragma once

#include "config/ip_address.h"
#include "probes/passive/traffic_observation.h"
#include "probes/time.h"
#include "probes/wire/datagram.h"

#include <cstdint>

namespace tunnelwatch::passive {

// One direction of one ESP SA as seen so far. All counts are cumulative over the stream's life in the table.
struct EspStreamSummary {
  IpAddress source;
  IpAddress destination;
  std::uint32_t spi = 0;
  std::uint16_t interface = 0;  // where it was seen; 0: not known
  bool in_udp = false;          // RFC 3948; the ports are those of the last packet, 0 for plain ESP
  bool live = false;            // several packets in sequence: no single forged packet makes a stream live
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint64_t packets = 0;        // every packet of the SPI, duplicates and strangers among them
  std::uint64_t bytes = 0;          // of the IP packets
  std::uint64_t lost = 0;           // sequence numbers that never came; never taken back
  std::uint64_t reordered = 0;      // came behind a later one
  std::uint64_t duplicates = 0;     // within the window of 1024
  std::uint64_t out_of_window = 0;  // too old or too far ahead to be judged, and not confirmed by what followed
  std::uint64_t jumps = 0;          // the sequence went on elsewhere: a restart, or a gap that loss does not explain
  std::uint64_t sequence = 0;       // the highest, extended beyond 32 bits from where the capture began
  TimePoint first{};
  TimePoint last{};
};

enum class FragmentEventKind : std::uint8_t {
  completed,   // put together; the message itself follows by on_ike where it is IKE
  timed_out,   // some fragments never came
  too_many,    // more fragments, or more bytes, than an honest datagram has
  overlapping  // RFC 5722: the whole train is refused
};

// What became of one train of IP fragments.
struct FragmentEvent {
  FragmentEventKind kind = FragmentEventKind::completed;
  IpAddress source;
  IpAddress destination;
  bool ports_known = false;  // the first fragment was seen, and it belongs to UDP 500 or 4500
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t id = 0;
  std::uint32_t fragments = 0;  // received, exact duplicates not counted
  std::uint32_t bytes = 0;      // received
  TimePoint first{};            // stamp of the first that arrived
  TimePoint last{};
};

// Who takes what PacketFront finds. Views live for the call. Called on the thread that feeds the front.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) = 0;
  // An ICMP error that quotes IKE, ESP or a keepalive. `quoted` may have an empty payload.
  virtual void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) = 0;
  virtual void on_nat_keepalive(const wire::Datagram& keepalive, TimePoint at) = 0;
  // At once for the first packet of a new stream (packets == 1), then once a second for each that changed.
  virtual void on_esp(const EspStreamSummary& stream) = 0;
  virtual void on_fragments(const FragmentEvent& event) = 0;
  // As soon as a run of packets in clear is one, then once a second while it grows.
  virtual void on_leak(const LeakSummary&) {}
  // Once a second while they are seen.
  virtual void on_outer_path(const OuterPathSummary&) {}
  // Once a second while requests come, or are found unanswered.
  virtual void on_tunnel_pings(const TunnelPingSummary&) {}
  virtual void on_bgp(const BgpObservation&) {}
};

}  // namespace tunnelwatch::passive
