#include "agent/log.h"

#include <cstdlib>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tunnelwatch::log {

namespace {

// syslog's priorities, as sd-daemon(3) wants them in front of a line.
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    static constexpr std::string_view kByLevel[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", "<6>"};
    const std::string_view text = kByLevel[static_cast<std::size_t>(message.level)];
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warning:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void initialize(config::LogLevel level) {
  auto logger = spdlog::get("tunnelwatch");
  if (logger == nullptr) {
    logger = spdlog::stderr_logger_st("tunnelwatch");
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*');
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    formatter->set_pattern(journal ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->set_formatter(std::move(formatter));
    spdlog::set_default_logger(logger);
  }
  logger->set_level(level_of(level));
}

std::string quoted(std::string_view value) {
  constexpr std::size_t kLongest = 400;
  std::string out;
  bool plain = !value.empty();
  for (const char c : value.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || c == '"' || c == '\\' || c == '=' || byte == 0x7f) plain = false;
    if (c == '"' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return plain ? out : '"' + out + '"';
}

namespace {

void write(spdlog::level::level_enum level, std::string_view event, const std::string& fields) {
  spdlog::log(level, "{}{}{}", event, fields.empty() ? "" : " ", fields);
}

}  // namespace

void debug(std::string_view event, const std::string& fields) { write(spdlog::level::debug, event, fields); }
void info(std::string_view event, const std::string& fields) { write(spdlog::level::info, event, fields); }
void warning(std::string_view event, const std::string& fields) { write(spdlog::level::warn, event, fields); }
void error(std::string_view event, const std::string& fields) { write(spdlog::level::err, event, fields); }

}  // namespace tunnelwatch::log
