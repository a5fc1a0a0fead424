#pragma once

#include "agent/timeline_lines.h"
#include "agent/watch.h"
#include "probes/passive/packet_sink.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tunnelwatch::agent {

// A capture as a story for people: one line a message, what it means, silences, ESP streams, ICMP errors, and causes
// at the moment when they rise and go. It stands between PacketFront and a Watch, hands everything on, and listens to
// what the Watch makes of it; a Watch without one pays nothing. Lines are written as they come; memory is bounded.
class Timeline final : public passive::PacketSink {
 public:
  using Write = std::function<void(std::string_view lines)>;

  // Takes both of the watch's listeners; watch and timeline live equally long.
  Timeline(Watch& watch, const TimelineOptions& options, Write write);
  ~Timeline() override;
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  // PacketSink
  void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) override;
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) override;
  void on_nat_keepalive(const wire::Datagram& keepalive, TimePoint at) override;
  void on_esp(const passive::EspStreamSummary& stream) override;
  void on_fragments(const passive::FragmentEvent& event) override;
  void on_leak(const passive::LeakSummary& leak) override;
  void on_tunnel_pings(const passive::TunnelPingSummary& pings) override;
  void on_bgp(const passive::BgpObservation& observation) override;

  // Time passes without a packet: to be called before the watch is told.
  void advance(TimePoint now);
  // The capture is over, and the watch was told.
  void finish(TimePoint now);

  // What is remembered: bounded, whatever comes.
  std::size_t remembered() const { return lines_.pairs() + streams_.size(); }

 private:
  struct Stream {
    passive::EspStreamSummary last;
    bool ended = false;
  };
  using StreamKey = std::tuple<IpAddress, IpAddress, std::uint32_t>;

  void on_observation(const passive::PeerKey& peer, const passive::IkeObservation& observation);
  void on_change(const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now);
  void tell(const passive::PeerKey& peer, const passive::IkeObservation& observation, bool with_message);
  void tell_silence(TimelinePair& pair, const passive::IkeObservation& observation, bool with_message);
  TimelinePair& pair_of(const IpAddress& source, const IpAddress& destination, TimePoint at);
  static LineKind arrow(const TimelinePair& pair, const IpAddress& source);
  exporters::Text message(TimelinePair& pair, const wire::Datagram& ike) const;
  std::string remarks(TimelinePair& pair, const wire::Datagram& ike, bool reassembled, bool duplicate, bool probe);
  void make_room_for_stream();
  void end_streams(TimePoint now);
  void flush();

  Watch& watch_;
  TimelineLines lines_;
  Write write_;
  // What the watch observed about the message in hand, told behind its line.
  std::vector<std::pair<passive::PeerKey, passive::IkeObservation>> observed_;
  bool in_message_ = false;
  std::map<StreamKey, Stream> streams_;
  TimePoint now_{};
  TimePoint next_look_ = TimePoint::min();
};

}  // namespace tunnelwatch::agent
