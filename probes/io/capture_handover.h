#pragma once

#include "probes/passive/packet_sink.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// How the capture of one interface stands.
struct CaptureState {
  std::string interface;
  bool up = false;
  std::string error;  // one sentence for the operator: why it is not up, or what it cannot see
};
using CaptureStateHandler = std::function<void(const CaptureState&)>;

// Carries what a capture thread found to the thread of an io_context. The capture thread calls the sink's functions and
// flush(); there, copies are told to `target` in the same order. What waits is bounded by `budget` bytes: more is
// dropped and counted. Summaries of ESP streams are cumulative, so a dropped one costs a second of freshness.
class CaptureHandover final : public passive::PacketSink {
 public:
  CaptureHandover(boost::asio::io_context& context, passive::PacketSink& target, CaptureStateHandler on_state,
                  std::size_t budget);
  CaptureHandover(const CaptureHandover&) = delete;
  CaptureHandover& operator=(const CaptureHandover&) = delete;
  ~CaptureHandover() override;

  // On the capture thread.
  void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) override;
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) override;
  void on_nat_keepalive(const wire::Datagram& keepalive, TimePoint at) override;
  void on_esp(const passive::EspStreamSummary& stream) override;
  void on_fragments(const passive::FragmentEvent& event) override;
  void on_leak(const passive::LeakSummary& leak) override;
  void on_outer_path(const passive::OuterPathSummary& path) override;
  void on_tunnel_pings(const passive::TunnelPingSummary& pings) override;
  void on_bgp(const passive::BgpObservation& observation) override;
  void on_state(CaptureState state);
  void flush();

  // On the io_context's thread: nothing is told after this.
  void close();
  // On any thread.
  std::uint64_t dropped() const;

 private:
  struct Batch;
  struct Shared;

  bool has_room(std::size_t payload);

  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace tunnelwatch::io
