#pragma once

#include "agent/recording/packet_ring.h"
#include "probes/time.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// What a recording is called, what is in it, and whether one may be written. Pure.
namespace tunnelwatch::agent {

// "cloud-a-20260102T030405Z-dpd_timeout.pcap": a name of [A-Za-z0-9_.-] that does not begin with a dot; characters of
// `tunnel` that are no such are replaced, and no more of it than 100 are taken. `cause` is an id of the catalogue.
std::string recording_name(std::string_view tunnel, WallTime at, std::string_view cause);
// Such a name's time as it stands there ("20260102T030405Z", so that times sort as texts); empty: it is none of ours.
std::string_view time_of_recording(std::string_view name);

// The capture file.
std::vector<std::uint8_t> recording_bytes(const std::vector<const PacketRing::Packet*>& packets,
                                          const WallClock& clock);

// A tunnel may write a few recordings at once and then one each interval; all together a larger few, and then one a
// second: what goes wrong for a thousand tunnels at once is not worth a thousand files.
class RecordingRate {
 public:
  explicit RecordingRate(Duration interval) : interval_(interval) {}
  void set_interval(Duration interval) { interval_ = interval; }

  // Whether one may be written now, which it then counts as.
  bool take(const std::string& tunnel, TimePoint now);

  static constexpr int kAtOnce = 4;
  static constexpr int kAtOnceInAll = 32;
  static constexpr Duration kIntervalInAll = std::chrono::seconds(1);

 private:
  // When an allowance is whole again; it is used up `burst` intervals before that.
  static bool allows(TimePoint whole_at, Duration interval, int burst, TimePoint now);
  void forget_idle(TimePoint now);

  Duration interval_;
  TimePoint all_{};
  std::map<std::string, TimePoint> tunnels_;  // no longer than those whose allowance is not whole
};

}  // namespace tunnelwatch::agent
