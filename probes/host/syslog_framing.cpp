#include "probes/host/syslog_framing.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::host {

namespace {

constexpr std::size_t kMostDigits = 7;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// Up to "37 <", which says that the length is told; anything else is a line.
std::string_view SyslogFraming::begin(std::string_view bytes, const Tell& tell) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    const bool spaced = head_.ends_with(' ');
    const bool fits = is_digit(c) ? !spaced && head_.size() < kMostDigits : c == ' ' && !spaced && !head_.empty();
    if (!fits) break;
    head_ += c;
    bytes.remove_prefix(1);
  }
  if (bytes.empty()) return bytes;
  if (bytes.front() == '<' && head_.ends_with(' ')) {
    std::size_t length = 0;
    std::from_chars(head_.data(), head_.data() + head_.size() - 1, length);
    head_.clear();
    left_ = length;
    state_ = State::counted;
    return bytes;
  }
  lines_.feed(head_, tell);
  head_.clear();
  state_ = State::line;
  return bytes;
}

std::string_view SyslogFraming::counted(std::string_view bytes, const Tell& tell) {
  const std::string_view part = bytes.substr(0, left_);
  message_ += part.substr(0, longest_ - std::min(longest_, message_.size()));
  left_ -= part.size();
  if (left_ == 0) {
    lines_.feed(message_, tell);  // it may hold several lines
    lines_.finish(tell);
    message_.clear();
    state_ = State::begin;
  }
  return bytes.substr(part.size());
}

std::string_view SyslogFraming::line(std::string_view bytes, const Tell& tell) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  lines_.feed(part, tell);
  if (end != std::string_view::npos) state_ = State::begin;
  return bytes.substr(part.size());
}

void SyslogFraming::feed(std::string_view bytes, const Tell& tell) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::begin:
        bytes = begin(bytes, tell);
        break;
      case State::counted:
        bytes = counted(bytes, tell);
        break;
      case State::line:
        bytes = line(bytes, tell);
        break;
    }
  }
}

void SyslogFraming::finish(const Tell& tell) {
  lines_.feed(head_, tell);
  lines_.feed(message_, tell);
  lines_.finish(tell);
  head_.clear();
  message_.clear();
  left_ = 0;
  state_ = State::begin;
}

}  // namespace tunnelwatch::host
