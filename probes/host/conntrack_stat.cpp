#include "probes/host/conntrack_stat.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::host {

namespace {

constexpr std::string_view kColumn = "drop";

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

// "entries  clashres found ..." and below it a line of hexadecimal numbers for each processor.
std::optional<std::uint64_t> parse_conntrack_drops(std::string_view text) {
  std::string_view names = next_line(text);
  std::size_t column = 0;
  while (!names.empty() && next_word(names) != kColumn) ++column;
  if (names.empty()) return std::nullopt;  // others follow it
  std::optional<std::uint64_t> sum;
  while (!text.empty()) {
    const bool whole = text.find('\n') != std::string_view::npos;
    std::string_view line = next_line(text);
    std::string_view word;
    for (std::size_t i = 0; i <= column; ++i) word = next_word(line);
    std::uint64_t count = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), count, 16);
    if (!whole || word.empty() || read.ec != std::errc{} || read.ptr != word.data() + word.size()) break;
    sum = sum.value_or(0) + count;
  }
  return sum;
}

}  // namespace tunnelwatch::host
