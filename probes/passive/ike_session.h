#pragma once

#include "probes/passive/ike_lengths.h"
#include "probes/passive/ike_observation.h"
#include "probes/wire/ike.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/container/static_vector.hpp>

// What the machines of both versions share: the message as the tracker hands it over, where their observations go, and
// observations that wait for what happens next.
namespace tunnelwatch::passive {

struct IkeInput {
  const wire::IkeMessage& message;
  Side from = Side::local;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t datagram_length = 0;
  bool reassembled = false;  // came in IP fragments
  bool sibling_lives =
      false;  // of an informational message of version 1: another SA of the two stands, or its children
  TimePoint at{};
};

class IkeObservationSink {
 public:
  virtual ~IkeObservationSink() = default;
  virtual void on_observation(const IkeObservation& observation) = 0;
};

// A silence is told again as it grows: a second later, and then whenever it has lasted half as long again.
inline Duration tell_again_after(Duration silence) { return std::max<Duration>(std::chrono::seconds(1), silence / 2); }
inline constexpr Duration kTellFor = std::chrono::seconds(30);

// Observations that stand only if nothing contradicts them until they are due.
class Deferred {
 public:
  void add(const IkeObservation& o, TimePoint due) {
    cancel(o.sight);
    if (waiting_.size() < kMost) waiting_.push_back({o, due});
  }
  void cancel(IkeSight sight) {
    for (std::size_t i = waiting_.size(); i-- > 0;) {
      if (waiting_[i].observation.sight == sight) waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  bool has(IkeSight sight) const {
    for (const auto& w : waiting_) {
      if (w.observation.sight == sight) return true;
    }
    return false;
  }
  // Tells what is due. The observation keeps the time of the packet that decided it.
  void advance(TimePoint now, IkeObservationSink& sink) {
    boost::container::static_vector<Waiting, kMost> due;
    for (std::size_t i = 0; i < waiting_.size();) {
      if (waiting_[i].due <= now) {
        due.push_back(waiting_[i]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    for (const auto& w : due) sink.on_observation(w.observation);
  }
  bool empty() const { return waiting_.empty(); }
  // When the first of them is due; TimePoint::max() where none waits.
  TimePoint due() const {
    TimePoint first = TimePoint::max();
    for (const auto& w : waiting_) first = std::min(first, w.due);
    return first;
  }

 private:
  struct Waiting {
    IkeObservation observation;
    TimePoint due;
  };
  static constexpr std::size_t kMost = 8;
  std::vector<Waiting> waiting_;  // mostly empty, and then it should take no room
};

enum class SessionPhase : std::uint8_t {
  init,            // nothing accepted yet
  authenticating,  // the offer was accepted
  established,
  failed,  // refused
  ended,   // deleted
};

}  // namespace tunnelwatch::passive
