#include "exporters/text/wrap.h"

#include "exporters/text/printable.h"

#include <algorithm>

namespace tunnelwatch::exporters {
namespace {

// Marks that must not begin a line: the comma, stop, colon and closing brackets of Chinese text, full width.
bool sticks_to_the_left(char32_t c) {
  return c == 0x3001 || c == 0x3002 || c == 0xFF0C || c == 0xFF1B || c == 0xFF1A || c == 0xFF09 || c == 0xFF1F ||
         c == 0x300B || c == 0x300D;
}

// What may not be broken: a word, or one wide character with the marks behind it.
std::string_view next_unit(std::string_view text) {
  std::size_t size = 0;
  bool wide_begun = false;
  while (size < text.size() && text[size] != ' ') {
    const Utf8Character c = first_character(text.substr(size));
    if (size > 0 && is_wide(c.code) && !sticks_to_the_left(c.code)) break;
    if (wide_begun && !is_wide(c.code)) break;
    wide_begun = wide_begun || is_wide(c.code);
    size += c.size;
  }
  return text.substr(0, size);
}

// As much of a word as fits.
std::string_view head_of(std::string_view word, std::size_t columns) {
  std::size_t size = 0, width = 0;
  while (size < word.size()) {
    const Utf8Character c = first_character(word.substr(size));
    const std::size_t more = is_wide(c.code) ? 2 : 1;
    if (size > 0 && width + more > columns) break;
    width += more;
    size += c.size;
  }
  return word.substr(0, size);
}

}  // namespace

std::string wrapped(std::string_view label, std::size_t indent, std::string_view text, std::size_t columns) {
  const std::size_t room = columns > indent + 8 ? columns - indent : 8;
  std::string out(label);
  const std::size_t label_width = display_width(label);
  out.append(indent > label_width ? indent - label_width : 0, ' ');
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(spaces);
    std::string_view unit = next_unit(text);
    if (unit.empty()) break;
    const std::size_t gap = used > 0 && spaces > 0 ? 1 : 0;
    if (used > 0 && used + gap + display_width(unit) > room) {
      out += '\n';
      out.append(indent, ' ');
      used = 0;
    }
    if (used > 0) out.append(gap, ' '), used += gap;
    unit = head_of(unit, room);
    out += unit;
    used += display_width(unit);
    text.remove_prefix(unit.size());
  }
  out += '\n';
  return out;
}

}  // namespace tunnelwatch::exporters
