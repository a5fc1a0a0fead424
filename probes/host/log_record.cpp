#include "probes/host/log_record.h"

#include <charconv>
#include <chrono>
#include <cstdint>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace tunnelwatch::host {

namespace json = boost::json;

namespace {

// The journal gives text as a string, and what is no text as an array of numbers.
std::optional<std::string> text_of(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(*text);
  const auto* bytes = value->if_array();
  if (bytes == nullptr) return std::nullopt;
  std::string text;
  text.reserve(bytes->size());
  for (const json::value& byte : *bytes) {
    const auto* number = byte.if_int64();
    if (number == nullptr || *number < 0 || *number > 255) return std::nullopt;
    text += static_cast<char>(*number);
  }
  return text;
}

std::optional<WallTime> time_of(const json::value* value) {
  const auto* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return std::nullopt;
  std::int64_t microseconds = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, microseconds);
  constexpr std::int64_t kMost = std::int64_t{7'258'118'400} * 1'000'000;  // the year 2200
  if (error != std::errc{} || stop != end || microseconds < 0 || microseconds > kMost) return std::nullopt;
  return WallTime{std::chrono::microseconds(microseconds)};
}

std::optional<LogRecord> open_journal_entry(std::string_view line) {
  if (!line.starts_with('{') || line.find("\"MESSAGE\"") == std::string_view::npos) return std::nullopt;
  boost::system::error_code error;
  const json::value parsed = json::parse(line, error);
  const auto* entry = error ? nullptr : parsed.if_object();
  if (entry == nullptr) return std::nullopt;
  auto message = text_of(entry->if_contains("MESSAGE"));
  if (!message) return std::nullopt;
  const auto* identifier = entry->if_contains("SYSLOG_IDENTIFIER");
  LogRecord record;
  record.text = std::move(*message);
  record.at = time_of(entry->if_contains("__REALTIME_TIMESTAMP"));
  record.own = identifier != nullptr && identifier->is_string() && identifier->get_string() == "tunnelwatch";
  return record;
}

}  // namespace

LogRecord open_log_record(std::string_view line) {
  if (auto entry = open_journal_entry(line)) return std::move(*entry);
  return {std::string(line), std::nullopt, false};
}

}  // namespace tunnelwatch::host
