#include "agent/analysis.h"

#include "agent/log_story.h"
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
    stamp = std::max(stamp, TimePoint{});  // nobody captured before 1970, but a broken file may say so
    offset_ = std::min(offset_, kEnd - stamp);
    if (stamp + offset_ + kDisorder < latest_) offset_ = latest_ - stamp;
    latest_ = std::max(latest_, stamp + offset_);
    return latest_;
  }
  TimePoint latest() const { return latest_; }

 private:
  // Set back again and again, it would run out of years; what is added to a time has ten of them left.
  static constexpr TimePoint kEnd = TimePoint::max() - std::chrono::hours(24 * 3650);

  TimePoint latest_ = TimePoint::min() + kLongestPause;
  Duration offset_{};
};

// Time as it passes live, however close or far apart the packets are.
class Ticks {
 public:
  Ticks(Watch& watch, passive::PacketFront& front, Timeline* timeline, LogStory& logs)
      : watch_(watch), front_(front), timeline_(timeline), logs_(logs) {}

  void pass_until(TimePoint now) {
    if (now < next_) return;
    if (next_ == TimePoint::min()) next_ = now;
    if (now - next_ > kLongestPause) next_ = now - kLongestPause;
    for (; next_ <= now; next_ += kTick) {
      logs_.pass_until(next_, watch_);
      if (timeline_ != nullptr) timeline_->advance(next_);
      front_.on_tick(next_);
      watch_.advance(next_);
    }
  }

 private:
  Watch& watch_;
  passive::PacketFront& front_;
  Timeline* timeline_;
  LogStory& logs_;
  TimePoint next_ = TimePoint::min();
};

// Files that are read for minutes say how far they are, a few times a second.
class Progress {
 public:
  Progress(const io::CaptureFiles& files, const AnalysisOptions& options)
      : files_(files), options_(options), total_(files.total_bytes()) {}

  void on_packet() {
    if (++packets_ % kEvery != 0 || total_ == 0 || !options_.on_progress) return;
    options_.on_progress(files_.position(), total_);
  }

 private:
  static constexpr std::uint64_t kEvery = 16384;
  const io::CaptureFiles& files_;
  const AnalysisOptions& options_;
  std::uint64_t total_;
  std::uint64_t packets_ = 0;
};

// Logs without captures: nothing was seen, and so nothing speaks against what they name.
exporters::Report analyze_logs(LogStory& logs, std::vector<std::string>& warnings, const AnalysisOptions& options) {
  Watch watch({.discovery = {.max_tunnels = 4096}, .loss = {}, .offline = true});
  logs.begin({});
  const auto latest = logs.latest();
  const TimePoint end = latest.value_or(TimePoint{});
  logs.finish(end, watch, warnings);
  watch.settle(end);
  watch.finish(end);
  const auto wall = WallClock::of_capture_file();
  exporters::Report report;
  if (latest) report.generated = wall.at(end);
  report.files = options.logs;
  report.tunnels = watch.report(wall);
  report.agent.version = kVersion;
  return report;
}

}  // namespace

boost::system::result<exporters::Report, std::string> analyze_captures(std::span<const std::string> paths,
                                                                       std::vector<std::string>& warnings,
                                                                       const AnalysisOptions& options) {
  LogStory logs;
  if (auto failure = logs.read(options.logs, warnings)) return std::move(*failure);
  if (paths.empty()) return analyze_logs(logs, warnings, options);
  auto files = io::CaptureFiles::open(paths);
  if (!files) return files.error();
  Watch watch({.discovery = {.max_tunnels = 4096}, .loss = {}, .offline = true});
  std::optional<Timeline> timeline;
  if (options.timeline) timeline.emplace(watch, *options.timeline, options.write);
  passive::PacketSink& sink = timeline ? static_cast<passive::PacketSink&>(*timeline) : watch;
  passive::PacketFront front(sink);
  Ticks ticks(watch, front, timeline ? &*timeline : nullptr, logs);
  Progress progress(*files, options);
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
    if (first) logs.begin(now);
    ticks.pass_until(now);
    progress.on_packet();
    first = false;
    front.on_frame(frame.link, frame.bytes, frame.wire_length, now, frame.direction);
    watch.settle(now);
  }
  front.finish();
  if (first) logs.begin({});
  watch.settle(clock.latest());
  logs.finish(clock.latest(), watch, warnings);
  watch.settle(clock.latest());
  watch.finish(clock.latest());
  if (timeline) timeline->finish(clock.latest());
  for (const auto& path : files->truncated()) warnings.push_back(path + " ends in the middle of a packet");
  for (const auto& what : files->left_out()) warnings.push_back(what);

  exporters::Report report;
  const auto wall = WallClock::of_capture_file();
  report.generated = first ? exporters::WallTime{} : wall.at(clock.latest());
  report.files.assign(paths.begin(), paths.end());
  report.files.insert(report.files.end(), options.logs.begin(), options.logs.end());
  report.packets = front.counters().frames;
  report.malformed = front.counters().malformed_total() + watch.tracker().counters().malformed;
  report.tunnels = watch.report(wall);
  report.agent.version = kVersion;
  return report;
}

}  // namespace tunnelwatch::agent
