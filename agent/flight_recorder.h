#pragma once

#include "agent/recording/packet_ring.h"
#include "agent/recording/recording.h"
#include "agent/recording_writer.h"
#include "agent/tunnel.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/wire/datagram.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// What became of the wish to write a recording. Enumerators are label values.
enum class RecordingOutcome : std::uint8_t {
  written,
  failed,        // the file system refused
  rate_limited,  // of this tunnel or in all
  queue_full,    // the disk is slower than the faults
  no_packets,    // nothing was heard of the tunnel's IKE
};
inline constexpr std::size_t kRecordingOutcomeCount = 5;
std::string_view to_string(RecordingOutcome outcome);

// Keeps the last IKE packets of each tunnel, and the ICMP errors about its packets, and writes them to a capture file
// when a fault is found on it. IP fragments that never came together are not among them. What goes wrong here is
// counted and said once; nothing else suffers from it. One thread; files are written by another.
class FlightRecorder {
 public:
  FlightRecorder(boost::asio::io_context& context, const Watch& watch);

  // Messages with an SPI for which this says yes are our own probes, and not kept.
  void set_own_spi(std::function<bool(std::uint64_t)> is_own) { own_spi_ = std::move(is_own); }
  void configure(const config::Recorder& settings);

  // Before the watch is told, so that the packet that decides is in the recording.
  void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled);
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at);

  // A tunnel's state or causes changed. The path of the file that is now being written of it; empty: none is, or the
  // last could not be written.
  std::string on_change(const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now);

  void report(exporters::Report& report) const;
  std::uint64_t count(RecordingOutcome outcome) const { return outcomes_[static_cast<std::size_t>(outcome)]; }

 private:
  struct Recorded {
    diagnosis::Cause cause;
    std::string path;
    bool there = false;  // it is written, and not yet removed
  };

  bool on() const { return !place_.directory.empty(); }
  bool is_of_tunnel(const IpAddress& a, const IpAddress& b) const;
  std::vector<const PacketRing::Packet*> packets_of(const Tunnel& tunnel) const;
  void on_done(const RecordingPlace& place, const std::string& name, const RecordingResult& result);
  void settle_path(const std::string& path, bool there);
  void count_one(RecordingOutcome outcome) { ++outcomes_[static_cast<std::size_t>(outcome)]; }

  const Watch& watch_;
  std::function<bool(std::uint64_t)> own_spi_;
  PacketRing ring_;
  RecordingRate rate_;
  RecordingPlace place_;  // an empty directory: off
  std::array<std::uint64_t, kRecordingOutcomeCount> outcomes_{};
  std::map<std::string, std::vector<Recorded>, std::less<>> recorded_;  // by tunnel; as many as there are files
  std::uint64_t stored_bytes_ = 0;
  bool failing_ = false;
  RecordingWriter writer_;
};

}  // namespace tunnelwatch::agent
