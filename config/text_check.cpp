#include "config/text_check.h"

namespace tunnelwatch::config {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_control(std::string_view sequence) {
  const unsigned first = byte_at(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  if (sequence.size() == 2) return first == 0xc2 && byte_at(sequence, 1) < 0xa0;
  return sequence == "\xef\xbb\xbf";
}

bool is_flow_indicator(char c) { return c == '[' || c == ']' || c == '{' || c == '}' || c == ','; }

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
  if (text.empty()) return 0;
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte_at(text, 1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool beyond = first == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0 || is_control(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<TextFault> check_text(std::string_view text) {
  if (text.size() > kMaxTextBytes) return TextFault{{}, "is larger than 1 MiB"};
  Position at{1, 1};
  std::size_t flow_indicators = 0;
  bool indentation = true;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text.substr(i));
    if (length == 0) return TextFault{at, "is not valid UTF-8"};
    const bool line_end = text[i] == '\n' || text.substr(i).starts_with("\r\n");
    if (!line_end && text[i] != '\t' && is_control(text.substr(i, length))) {
      return TextFault{at, text[i] == '\0' ? "holds a NUL byte" : "holds a control character"};
    }
    // YAML allows tabs in a few such places and parsers disagree on them; what they say about one helps nobody.
    if (indentation && text[i] == '\t') return TextFault{at, "begins a line with a tab; indent with spaces"};
    indentation = text[i] == '\n' || (indentation && text[i] == ' ');
    if (is_flow_indicator(text[i]) && ++flow_indicators > kMaxFlowIndicators) {
      return TextFault{at, "holds more than 50000 brackets and commas; write long lists with one item a line"};
    }
    if (text[i] == '\n') {
      at = {at.line + 1, 1};
    } else {
      at.column += static_cast<int>(length);
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace tunnelwatch::config
