#include "agent/log_watch.h"

#include "agent/watch.h"
#include "probes/clock.h"
#include "probes/host/log_record.h"

#include <algorithm>
#include <fstream>
#include <iomanip>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kBytesEachTick = 256U << 10;  // of one file; the rest waits
constexpr Duration kTryAgain = 5s;

// This machine's, by which its own entries can be told; empty: not known.
std::string machine_id() {
  std::string id;
  std::ifstream("/etc/machine-id") >> std::setw(32) >> id;
  return id.find_first_not_of("0123456789abcdef") == std::string::npos ? id : "";
}

// Of all boots and machines: else journalctl wants to know this boot, which the unit's ProcSubset=pid hides from it.
// Lines of before are not asked for, and those of other machines are not wanted.
std::vector<std::string> journal_command(const std::vector<std::string>& units) {
  std::vector<std::string> command{
      "journalctl",    "--follow", "--merge",    "--lines=0",
      "--output=json", "--quiet",  "--no-pager", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER"};
  for (const std::string& unit : units) command.push_back("--unit=" + unit);
  if (const std::string id = machine_id(); !id.empty()) command.push_back("_MACHINE_ID=" + id);
  return command;
}

std::string name_of(const config::ListenAddress& at) {
  return fmt::format("{} port {}", at.address.to_string(), at.port);
}

}  // namespace

LogWatch::LogWatch(boost::asio::io_context& io, Watch& watch) : io_(io), watch_(watch), intake_(watch) {}
LogWatch::~LogWatch() = default;

void LogWatch::configure(const config::Logs& settings) {
  const config::Logs before = std::exchange(settings_, settings);
  std::vector<std::unique_ptr<File>> files;
  for (const std::string& path : settings_.files) {
    const auto same = std::find_if(files_.begin(), files_.end(),
                                   [&](const auto& f) { return f != nullptr && f->followed.path() == path; });
    files.push_back(same == files_.end() ? std::make_unique<File>(path) : std::move(*same));
  }
  files_ = std::move(files);
  if (settings_.journal != before.journal || settings_.units != before.units) {
    journal_.reset();
    journal_state_ = SourceState("log_journal");
    if (settings_.journal) open_journal();
  }
  if (settings_.syslog != before.syslog) {
    syslog_.reset();
    syslog_state_ = SourceState("log_syslog");
    if (settings_.syslog) open_syslog();
  }
}

void LogWatch::stop() {
  files_.clear();
  journal_.reset();
  syslog_.reset();
  settings_ = {};
}

void LogWatch::open_journal() {
  journal_lines_ = host::LineSplitter(64U << 10);
  io::ChildOutput::Handlers handlers;
  handlers.on_output = [this](std::string_view bytes) {
    const TimePoint now = steady_now();
    journal_lines_.feed(bytes, [&](std::string_view line) { on_line(journal_reader_, line, now); });
    watch_.settle(now);
  };
  handlers.on_state = [this](const std::string& error) { journal_state_.tell("journal", error); };
  journal_ = std::make_unique<io::ChildOutput>(io_, journal_command(settings_.units), std::move(handlers));
}

void LogWatch::open_syslog() {
  auto listener = io::SyslogListener::open(io_, *settings_.syslog, [this](std::string_view line) {
    const TimePoint now = steady_now();
    on_line(syslog_reader_, line, now);
    watch_.settle(now);
  });
  if (listener) syslog_ = std::move(*listener);
  syslog_state_.tell(name_of(*settings_.syslog), listener ? "" : listener.error().sentence);
  syslog_again_ = steady_now() + kTryAgain;
}

void LogWatch::on_line(diagnosis::LogReader& reader, std::string_view line, TimePoint now) {
  const auto record = host::open_log_record(line);
  if (record.own) return intake_.count(LogLineOutcome::ordinary);
  intake_.take(reader, record.text, diagnosis::LogTeller::log, now);
}

void LogWatch::tick(TimePoint now) {
  for (const auto& file : files_) {
    file->followed.poll(now, kBytesEachTick, [&](std::string_view line) { on_line(file->reader, line, now); });
    file->state.tell(file->followed.path(), file->followed.error());
  }
  if (settings_.syslog && !syslog_ && now >= syslog_again_) open_syslog();
}

std::vector<std::pair<std::string, bool>> LogWatch::sources() const {
  std::vector<std::pair<std::string, bool>> list;
  if (!files_.empty()) {
    const bool all = std::all_of(files_.begin(), files_.end(), [](const auto& f) { return f->state.up(); });
    list.emplace_back("log_file", all);
  }
  if (settings_.journal) list.emplace_back("log_journal", journal_state_.up());
  if (settings_.syslog) list.emplace_back("log_syslog", syslog_state_.up());
  return list;
}

void LogWatch::report(exporters::Report& report) const {
  for (auto& source : sources()) report.agent.sources.push_back(std::move(source));
  intake_.report(report);
}

}  // namespace tunnelwatch::agent
