#include "agent/analysis.h"

#include "agent/watch.h"
#include "probes/io/capture_file.h"
#include "probes/passive/packet_front.h"
#include "version.h"

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

// How finely time passes between packets: silences are told this late at most.
constexpr Duration kTick = 100ms;
// A pause longer than this is a gap between captures: time does not tick through it.
constexpr Duration kLongestPause = 10min;

// Packet stamps as a clock that never goes back: a few packets may be out of order, and where the clock itself was set
// back inside a file, time goes on from there by what follows.
class FileClock {
 public:
  TimePoint at(TimePoint stamp) {
    constexpr Duration kDisorder = 2s;
    if (stamp + offset_ + kDisorder < latest_) offset_ = latest_ - stamp;
    latest_ = std::max(latest_, stamp + offset_);
    return latest_;
  }
  TimePoint latest() const { return latest_; }

 private:
  TimePoint latest_ = TimePoint::min() + kLongestPause;
  Duration offset_{};
};

// Time as it passes live, however close or far apart the packets are.
class Ticks {
 public:
  Ticks(Watch& watch, passive::PacketFront& front) : watch_(watch), front_(front) {}

  void pass_until(TimePoint now) {
    if (now < next_) return;
    if (next_ == TimePoint::min()) next_ = now;
    if (now - next_ > kLongestPause) next_ = now - kLongestPause;
    for (; next_ <= now; next_ += kTick) {
      front_.on_tick(next_);
      watch_.advance(next_);
    }
  }

 private:
  Watch& watch_;
  passive::PacketFront& front_;
  TimePoint next_ = TimePoint::min();
};

}  // namespace

boost::system::result<exporters::Report, std::string> analyze_captures(std::span<const std::string> paths,
                                                                       std::vector<std::string>& warnings) {
  auto files = io::CaptureFiles::open(paths);
  if (!files) return files.error();
  Watch watch({.discovery = {.max_tunnels = 4096}, .loss = {}, .offline = true});
  passive::PacketFront front(watch);
  Ticks ticks(watch, front);
  FileClock clock;
  io::CapturedFrame frame;
  bool first = true;
  for (;;) {
    const auto next = files->next(frame);
    if (next == io::CaptureFiles::Next::end) break;
    if (next == io::CaptureFiles::Next::error) {
      warnings.push_back(files->error());
      continue;
    }
    const TimePoint now = clock.at(frame.at);
    ticks.pass_until(now);
    first = false;
    front.on_frame(frame.link, frame.bytes, frame.wire_length, now);
    watch.settle(now);
  }
  front.finish();
  watch.settle(clock.latest());
  watch.finish(clock.latest());
  for (const auto& path : files->truncated()) warnings.push_back(path + " ends in the middle of a packet");

  exporters::Report report;
  const auto wall = WallClock::of_capture_file();
  report.generated = first ? exporters::WallTime{} : wall.at(clock.latest());
  report.files.assign(paths.begin(), paths.end());
  report.packets = front.counters().frames;
  report.malformed = front.counters().malformed_total() + watch.tracker().counters().malformed;
  report.tunnels = watch.report(wall);
  report.agent.version = kVersion;
  return report;
}

}  // namespace tunnelwatch::agent
