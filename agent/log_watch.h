#pragma once

#include "agent/diagnosis/log_hit.h"
#include "agent/line_intake.h"
#include "agent/source_state.h"
#include "config/settings.h"
#include "exporters/report.h"
#include "probes/host/line_splitter.h"
#include "probes/io/child_output.h"
#include "probes/io/followed_file.h"
#include "probes/io/syslog_listener.h"
#include "probes/time.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

class Watch;

// Follows the logs of the configuration and tells the watch what they name, with the time at which it was read: what
// stood in them before is history. What cannot be read is said once, and once more when it can. One thread, that of
// the io_context.
class LogWatch {
 public:
  LogWatch(boost::asio::io_context& io, Watch& watch);
  ~LogWatch();
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  // What stays keeps its place.
  void configure(const config::Logs& settings);
  // Every 100 ms or so.
  void tick(TimePoint now);
  void stop();

  // log_file, log_journal, log_syslog, those that are configured: whether all of them can be read.
  std::vector<std::pair<std::string, bool>> sources() const;
  std::uint64_t count(LogLineOutcome outcome) const { return intake_.count_of(outcome); }
  void report(exporters::Report& report) const;

 private:
  struct File {
    explicit File(const std::string& path) : followed(path) {}
    io::FollowedFile followed;
    diagnosis::LogReader reader;
    SourceState state{"log_file"};
  };

  void open_journal();
  void open_syslog();
  void on_line(diagnosis::LogReader& reader, std::string_view line, TimePoint now);

  boost::asio::io_context& io_;
  Watch& watch_;
  config::Logs settings_;
  std::vector<std::unique_ptr<File>> files_;
  std::unique_ptr<io::ChildOutput> journal_;
  diagnosis::LogReader journal_reader_;
  host::LineSplitter journal_lines_;
  SourceState journal_state_{"log_journal"};
  std::unique_ptr<io::SyslogListener> syslog_;
  diagnosis::LogReader syslog_reader_;
  SourceState syslog_state_{"log_syslog"};
  TimePoint syslog_again_{};
  LineIntake intake_;
};

}  // namespace tunnelwatch::agent
