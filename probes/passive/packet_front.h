#pragma once

#include "probes/passive/bgp_sessions.h"
#include "probes/passive/esp_streams.h"
#include "probes/passive/leak_tracker.h"
#include "probes/passive/outer_paths.h"
#include "probes/passive/packet_sink.h"
#include "probes/passive/reassembly.h"
#include "probes/passive/tunnel_pings.h"
#include "probes/time.h"
#include "probes/wire/frame.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace tunnelwatch::passive {

struct PacketCounters {
  static constexpr std::size_t kKinds = static_cast<std::size_t>(wire::DatagramKind::other) + 1;

  std::uint64_t frames = 0;
  std::array<std::uint64_t, kKinds> by_kind{};                    // index: DatagramKind
  std::array<std::uint64_t, wire::kParseErrorCount> malformed{};  // index: ParseError
  std::uint64_t esp_fragments = 0;  // IP fragments of ESP, in UDP or plain: encapsulation made packets too big
  std::uint64_t cut = 0;            // datagrams of ours that the snap length cut

  std::uint64_t of(wire::DatagramKind kind) const { return by_kind[static_cast<std::size_t>(kind)]; }
  std::uint64_t of(wire::ParseError error) const { return malformed[static_cast<std::size_t>(error)]; }
  std::uint64_t malformed_total() const;
};

using MacAddress = std::array<std::uint8_t, 6>;

struct PacketFrontOptions {
  ReassemblyLimits reassembly;
  EspLimits esp;
  std::uint64_t hash_seed = 0;  // random where strangers choose the packets
  unsigned announcements = 64;  // new ESP streams told at once in one second; the others wait for the summary
  Duration summary_interval = std::chrono::seconds(1);
  std::uint16_t interface = 0;  // where the frames come from, told with what is found; 0: not known
  bool inside = false;          // a tunnel's own interface: what goes there in clear does so by right
};

// From frames to what the trackers want, alike for files and live capture. No I/O and no clock: `at` is the packet's
// stamp. One thread at a time. Packets seen twice are told twice: only the trackers know what a copy means.
class PacketFront {
 public:
  explicit PacketFront(PacketSink& sink, const PacketFrontOptions& options = {});

  // `direction`: as the capture noted it beside the frame; what the link layer itself says comes first.
  void on_frame(wire::LinkType link, wire::Bytes frame, std::uint32_t wire_length, TimePoint at,
                wire::LinkDirection direction = wire::LinkDirection::unknown);
  // What to look for beside IKE and ESP; nothing until it is told.
  void set_interest(const TrafficInterest& interest);
  // Of the interface: tells leaving from arriving on Ethernet.
  void set_own_mac(const std::optional<MacAddress>& mac) { own_mac_ = mac; }
  // Live, when no frame comes: timeouts of fragments and the summaries that are due.
  void on_tick(TimePoint now);
  // The capture itself missed packets around now: no gap in the ESP sequences is loss for the next second.
  void on_capture_gap(TimePoint now) { esp_.on_capture_gap(now + std::chrono::seconds(1)); }
  // The end of a capture: every gap is loss now, and a train of fragments open for two seconds has timed out.
  void finish();

  const PacketCounters& counters() const { return counters_; }
  const EspCounters& esp_counters() const { return esp_.counters(); }
  const ReassemblyCounters& reassembly_counters() const { return reassembly_.counters(); }

 private:
  void on_datagram(const wire::Datagram& d, TimePoint at, bool reassembled);
  void on_esp(const wire::Datagram& d, TimePoint at);
  void on_fragment(const wire::Datagram& d, TimePoint at);
  void on_icmp_error(const wire::Datagram& d, TimePoint at);
  void on_clear(wire::Datagram& d, wire::LinkType link, wire::Bytes frame, TimePoint at);
  void on_outer(const IpAddress& source, const IpAddress& destination, TimePoint at);
  void on_bgp(const wire::Datagram& d, TimePoint at);
  void tell_leaks();
  void tell_pings(TimePoint now);
  void tell_paths();
  void tell_fragments();
  void tell_esp();

  PacketSink& sink_;
  PacketFrontOptions options_;
  Reassembly reassembly_;
  EspStreams esp_;
  LeakTracker leaks_;
  OuterPaths paths_;
  TunnelPings pings_;
  BgpSessions bgp_;
  PacketCounters counters_;
  std::vector<EspStreamSummary> summaries_;
  std::vector<LeakSummary> leak_summaries_;
  std::vector<BgpObservation> bgp_sights_;
  std::vector<TunnelPingSummary> ping_summaries_;
  std::vector<OuterPathSummary> path_summaries_;
  std::optional<MacAddress> own_mac_;
  TimePoint next_summary_ = TimePoint::min();
  TimePoint latest_ = TimePoint::min();
  unsigned announced_ = 0;
};

}  // namespace tunnelwatch::passive
