#include "probes/host/ovpn_options.h"

namespace tunnelwatch::host {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

// One word from `at` on, which is left behind it; nothing where a quote or an escape is left open.
std::optional<std::string> next_word(std::string_view line, std::size_t& at) {
  std::string word;
  char quote = 0;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '\\' && quote != '\'') {
      if (++at == line.size()) return std::nullopt;
      word += line[at];
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (is_blank(c)) {
      break;
    } else {
      word += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return word;
}

}  // namespace

std::optional<std::vector<std::string>> split_ovpn_line(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size() || line[at] == '#' || line[at] == ';') return words;
    if (words.size() == kMaxOvpnWords) return std::nullopt;
    auto word = next_word(line, at);
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
}

}  // namespace tunnelwatch::host
