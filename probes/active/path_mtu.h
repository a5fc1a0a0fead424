#pragma once

#include "config/ip_address.h"
#include "probes/active/keyed_random.h"
#include "probes/active/path_trace.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tunnelwatch::active {

struct PathMtuParams {
  IpAddress source;
  IpAddress target;               // of the same family
  std::uint16_t link_mtu = 1500;  // of the interface that packets leave by: nothing larger is tried
  std::uint8_t repeats = 3;       // a size is silent after this many requests in vain
  std::chrono::milliseconds gap{50};
  std::chrono::milliseconds timeout{1000};  // nothing at all came back: asked once more after this
};

// Enumerators are label values.
enum class PathMtuOutcome : std::uint8_t {
  searching,
  whole,       // what the own link takes reaches the target and comes back
  announced,   // smaller, and a router says so as it should
  black_hole,  // larger ones vanish without a word while small ones of the same time are answered
  unknown,     // the target answers no echo request, or too few of them
};
std::string_view to_string(PathMtuOutcome outcome);

// Sizes are those of whole IP packets.
struct PathMtuResult {
  PathMtuOutcome outcome = PathMtuOutcome::searching;
  std::uint16_t mtu = 0;              // the largest that was answered; 0: none of the floor's size or above
  std::uint16_t smallest_silent = 0;  // the smallest that vanished, asked `repeats` times; 0: none did
  std::uint16_t announced = 0;        // the smallest plausible MTU that was announced; 0: none, or without its number
  std::optional<IpAddress> announced_by;
  std::uint32_t implausible = 0;  // announcements that were not believed
};

// Finds the largest packet that an echo request and its reply can be on the way to one target, with DF set: the link's
// MTU first, then by bisection down to kFloor4 or kFloor6. Without I/O and clock; single-threaded; used like PathTrace.
//
// Each request of the size in question goes with a small one. A size is silent only where all its requests were while
// small ones of the same time were answered; where those are lost too, it is asked anew. An announced MTU counts where
// the error quotes a request of ours that is larger than it, where it is no less than the protocol's least (RFC 8200:
// 1280; of IPv4, with its 68 bytes, than the small ones) and than what has passed before; it is then asked itself.
class PathMtu {
 public:
  static constexpr std::uint16_t kFloor4 = 576;
  static constexpr std::uint16_t kFloor6 = 1280;
  static constexpr std::uint8_t kLostRounds = 3;  // rounds in which the small ones were lost as well, until it ends
  static constexpr std::size_t kMostPackets = 400;

  PathMtu(std::uint64_t seed, const PathMtuParams& params, TimePoint now);

  void advance(TimePoint now, std::vector<TracePacket>& out);
  std::optional<TimePoint> next_deadline() const;  // none: done
  bool done() const { return result_.outcome != PathMtuOutcome::searching; }

  void on_sent(std::uint32_t probe, TimePoint stamp);
  void on_send_error(std::uint32_t probe, RefusalReason reason);
  // As PathTrace's.
  bool on_icmp(std::span<const std::uint8_t> message, const IpAddress& from, TimePoint received_at);

  const PathMtuResult& result() const { return result_; }

 private:
  struct Probe {
    std::uint16_t size = 0;
    TimePoint sent{};
    bool answered = false;
  };
  void begin_round(std::uint16_t size, TimePoint now);
  void next_size(TimePoint now);
  void conclude(TimePoint now);
  void finish();
  Duration grace() const;
  void send(std::uint16_t size, TimePoint now, std::vector<TracePacket>& out);
  void on_reply(Probe& probe, TimePoint at);
  void on_too_big(const Probe& probe, std::uint16_t mtu, const IpAddress& from, TimePoint at);

  PathMtuParams params_;
  KeyedRandom random_;
  std::uint16_t id_;
  std::uint16_t sequence_base_;
  std::uint16_t small_;
  std::vector<Probe> probes_;
  PathMtuResult result_;
  std::uint16_t low_;   // nothing below it is tried any more
  std::uint16_t high_;  // nor above this
  std::uint16_t size_ = 0;
  std::size_t round_begin_ = 0;   // probes of this round are those from here on
  std::uint8_t round_pairs_ = 0;  // sent in it
  std::uint8_t lost_rounds_ = 0;
  TimePoint next_at_;
  Duration slowest_{};
};

}  // namespace tunnelwatch::active
