#pragma once

#include "probes/io/capture_handover.h"
#include "probes/passive/packet_front.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tunnelwatch::io {

struct LiveCaptureOptions {
  int ring_bytes = 4 * 1024 * 1024;
  std::size_t handover_bytes = 4 * 1024 * 1024;
  passive::PacketFrontOptions front;  // its hash seed is replaced by a random one
  std::shared_ptr<const passive::TrafficInterest> interest = std::make_shared<passive::TrafficInterest>();
};

// Cumulative over every reopening of the interface. The parts of the front are a second old at most.
struct LiveCaptureCounters {
  std::uint64_t received = 0;  // by the kernel's filter
  std::uint64_t dropped = 0;   // no room in the ring
  std::uint64_t interface_dropped = 0;
  std::uint64_t handover_dropped = 0;  // the io_context's thread was too slow
  std::uint64_t openings = 0;          // of the interface
  passive::PacketCounters packets;
  passive::EspCounters esp;
  passive::ReassemblyCounters reassembly;
};

// Captures on one interface with a thread and a libpcap handle of its own. What was found is told to `sink` and
// `on_state` on the io_context's thread: IKE and the like at once, ESP streams when they are new and once a second.
// Times are the kernel's stamps as TimePoints of the running machine, never in the future and never going back.
// An interface that is missing, down or replaced is told and tried again after 250 ms to 5 s; it is no error to begin
// without one. Make and destroy it on the io_context's thread; after destruction nothing is told.
class LiveCapture {
 public:
  LiveCapture(boost::asio::io_context& context, std::string interface, passive::PacketSink& sink,
              CaptureStateHandler on_state, const LiveCaptureOptions& options = {});
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;
  ~LiveCapture();

  // Another interest than that of the options. Where it asks for another filter in the kernel, that follows within half
  // a second, and a few packets are lost meanwhile.
  void set_interest(std::shared_ptr<const passive::TrafficInterest> interest);

  const std::string& interface() const;
  LiveCaptureCounters counters() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace tunnelwatch::io
