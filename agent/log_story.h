#pragma once

#include "agent/diagnosis/log_hit.h"
#include "agent/watch.h"
#include "probes/host/log_stamp.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// Log files beside captures, for `analyze`: read whole at the beginning, then told to a Watch in the order of their
// stamps as the captures' time passes. Of a log the lines that name a cause are kept, at most kMaxHits.
class LogStory {
 public:
  static constexpr std::size_t kMaxHits = 100'000;

  // Reads them, gzip too. The error is a sentence: a file that cannot be opened. `warnings` gets what was left out.
  std::optional<std::string> read(std::span<const std::string> paths, std::vector<std::string>& warnings);
  // The first packet's time: stamps without a year or a day are those nearest to it. Without captures: the file's own.
  void begin(std::optional<TimePoint> first_packet);
  // Tells what was written until then, as far as it is certain whose it is.
  void pass_until(TimePoint now, Watch& watch);
  // All the rest, and what waited for its tunnel; lines without a stamp are of `end`. Then `warnings` gets what found
  // none.
  void finish(TimePoint end, Watch& watch, std::vector<std::string>& warnings);

  std::uint64_t lines() const { return lines_; }
  // Until when the logs go: the last stamp of any line.
  std::optional<TimePoint> latest() const { return latest_; }

 private:
  struct Hit {
    diagnosis::LogHit hit;
    std::optional<host::LogStamp> stamp;
    std::optional<WallTime> exact;
    WallTime file_time{};  // when the file was last written
    TimePoint at{};        // set by begin()
    bool dated = false;
  };

  struct End {
    host::LogStamp stamp;
    WallTime file_time{};
  };

  std::optional<std::string> read_file(const std::string& path, std::vector<std::string>& warnings);
  void keep(Hit hit);

  std::vector<Hit> hits_;  // by time behind begin(), those without one last
  std::vector<Hit> waiting_;
  std::vector<End> ends_;  // of each file
  std::optional<TimePoint> latest_;
  std::size_t next_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace tunnelwatch::agent
