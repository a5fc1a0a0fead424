#include "agent/log_story.h"

#include "probes/host/line_splitter.h"
#include "probes/host/log_record.h"
#include "probes/io/gzip_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <sys/stat.h>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

WallTime written_at(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  return WallTime{std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec)};
}

// How far the clocks on this machine's wall are east of UTC then: a log without a zone is taken to be written here.
std::chrono::seconds local_offset(WallTime at) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  std::tm local{};
  return localtime_r(&seconds, &local) == nullptr ? std::chrono::seconds(0) : std::chrono::seconds(local.tm_gmtoff);
}

}  // namespace

void LogStory::keep(Hit hit) {
  if (hits_.size() == kMaxHits) {
    ++left_out_;
    return;
  }
  hits_.push_back(std::move(hit));
}

std::optional<std::string> LogStory::read_file(const std::string& path, std::vector<std::string>& warnings) {
  const auto opened = io::open_maybe_gzip(path);
  if (opened.file == nullptr) return fmt::format("{}: {}", path, std::strerror(errno));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(opened.file, std::fclose);
  const WallTime file_time = written_at(opened.descriptor);
  diagnosis::LogReader reader;
  host::LineSplitter splitter;
  std::optional<host::LogStamp> last_stamp;
  const auto tell = [&](std::string_view line) {
    ++lines_;
    const auto record = host::open_log_record(line);
    const auto stamp = host::find_stamp(record.text);
    if (stamp) last_stamp = stamp;
    if (record.own) return;
    const TimePoint at{stamp ? stamp->of_day : Duration::zero()};  // within a file only how far lines are apart counts
    auto hit = reader.read(record.text, at);
    if (hit) keep({std::move(*hit), stamp ? stamp : last_stamp, record.at, file_time, {}, false});
  };
  std::array<char, 65536> piece{};
  std::size_t size = 0;
  errno = 0;
  while ((size = std::fread(piece.data(), 1, piece.size(), file.get())) != 0) splitter.feed({piece.data(), size}, tell);
  const int error = std::ferror(file.get()) != 0 ? errno : 0;
  splitter.finish(tell);
  if (last_stamp) ends_.push_back({*last_stamp, file_time});
  if (error != 0 && lines_ == 0) return fmt::format("{}: {}", path, std::strerror(error));
  if (error != 0) warnings.push_back(fmt::format("{} is damaged or ends early", path));
  if (splitter.too_long() != 0)
    warnings.push_back(fmt::format("{}: {} lines are longer than 8192 bytes and were cut", path, splitter.too_long()));
  return std::nullopt;
}

std::optional<std::string> LogStory::read(std::span<const std::string> paths, std::vector<std::string>& warnings) {
  for (const std::string& path : paths) {
    if (auto failure = read_file(path, warnings)) return failure;
  }
  if (left_out_ != 0)
    warnings.push_back(
        fmt::format("the logs name causes in more than {} lines; {} were left out", kMaxHits, left_out_));
  return std::nullopt;
}

void LogStory::begin(std::optional<TimePoint> first_packet) {
  const auto wall = WallClock::of_capture_file();
  for (Hit& h : hits_) {
    const WallTime reference = first_packet ? wall.at(*first_packet) : h.file_time;
    h.dated = h.exact || h.stamp;
    if (h.exact) {
      h.at = wall.from(*h.exact);
    } else if (h.stamp) {
      h.at = wall.from(host::resolve(*h.stamp, reference, local_offset(reference)));
    }
    h.at = std::max(h.at, TimePoint{});
    if (h.dated) latest_ = std::max(latest_.value_or(h.at), h.at);
  }
  for (const End& end : ends_) {
    const WallTime reference = first_packet ? wall.at(*first_packet) : end.file_time;
    const TimePoint at = wall.from(host::resolve(end.stamp, reference, local_offset(reference)));
    latest_ = std::max(latest_.value_or(at), at);
  }
  std::stable_sort(hits_.begin(), hits_.end(),
                   [](const Hit& a, const Hit& b) { return a.dated != b.dated ? a.dated : a.at < b.at; });
}

void LogStory::pass_until(TimePoint now, Watch& watch) {
  for (; next_ < hits_.size() && hits_[next_].dated && hits_[next_].at <= now; ++next_) {
    if (!watch.on_log(hits_[next_].hit, hits_[next_].at, Watch::LogTarget::certain)) waiting_.push_back(hits_[next_]);
  }
}

void LogStory::finish(TimePoint end, Watch& watch, std::vector<std::string>& warnings) {
  waiting_.insert(waiting_.end(), hits_.begin() + static_cast<std::ptrdiff_t>(next_), hits_.end());
  next_ = hits_.size();
  std::map<std::string, std::size_t> nobodys;
  // Those that name somebody come first: the only tunnel is known then.
  for (const bool named : {true, false}) {
    for (const Hit& h : waiting_) {
      if ((h.hit.peer || !h.hit.connection.empty()) != named) continue;
      if (!watch.on_log(h.hit, h.dated ? h.at : end)) ++nobodys[std::string(to_string(h.hit.match.cause))];
    }
  }
  for (const auto& [cause, count] : nobodys) {
    warnings.push_back(count == 1 ? fmt::format("one line of the logs names {}, and not whose it is", cause)
                                  : fmt::format("{} lines of the logs name {}, and not whose it is", count, cause));
  }
}

}  // namespace tunnelwatch::agent
