#include "probes/host/daemon_log.h"

#include <charconv>

namespace tunnelwatch::host {

namespace {

constexpr std::size_t kMaxLines = 64;  // of one message
constexpr std::size_t kMaxName = 64;   // each line repeats it
constexpr std::string_view kNoName = "(unnamed)";

// Nothing where it is no number below `end`.
std::optional<unsigned> number(std::string_view text, unsigned end) {
  unsigned value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value >= end) return std::nullopt;
  return value;
}

// "05[IKE] <tun|3> "
std::string beginning(const ViciSection& log) {
  std::string text;
  const auto thread = number(log.value("thread"), 100);
  const std::string_view group = log.value("group");
  if (thread && group.size() == 3) {
    text += static_cast<char>('0' + *thread / 10);
    text += static_cast<char>('0' + *thread % 10);
    text += '[';
    text += group;
    text += "] ";
  }
  const std::string_view name = log.value("ikesa-name").substr(0, kMaxName);
  const std::string_view id = log.value("ikesa-uniqueid").substr(0, kMaxName);
  if (id.empty()) return text;
  text += '<';
  if (!name.empty() && name != kNoName) {
    text += name;
    text += '|';
  }
  text += id;
  text += "> ";
  return text;
}

}  // namespace

void add_log_lines(const ViciSection& log, std::vector<std::string>& out) {
  const std::string_view level = log.value("level");
  if (level != "0" && level != "1") return;
  const std::string front = beginning(log);
  std::string_view rest = log.value("msg");
  for (std::size_t lines = 0; !rest.empty() && lines < kMaxLines; ++lines) {
    const std::size_t end = rest.find('\n');
    if (end != 0) out.push_back(front + std::string(rest.substr(0, end)));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
}

}  // namespace tunnelwatch::host
