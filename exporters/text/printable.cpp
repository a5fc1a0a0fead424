#include "exporters/text/printable.h"

#include <algorithm>
#include <cstdint>

namespace tunnelwatch::exporters {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Whether a character would let text leave its line or change the order of what surrounds it.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

template <typename Refuse>
std::string filtered(std::string_view text, Refuse refuse) {
  if (is_plain_ascii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  std::size_t kept = 0;  // of `text`, what may be taken over as it is
  while (kept < text.size()) {
    const Utf8Character c = first_character(text.substr(kept));
    if (c.valid && !refuse(c.code)) {
      kept += c.size;
      continue;
    }
    out += text.substr(0, kept);
    out += kReplacement;
    text.remove_prefix(kept + c.size);
    kept = 0;
  }
  out += text;
  return out;
}

}  // namespace

Utf8Character first_character(std::string_view text) {
  constexpr Utf8Character malformed{0xFFFD, 1, false};
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return malformed;
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return malformed;
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const char32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return malformed;
  return {code, size, true};
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string valid_utf8(std::string_view text) {
  return filtered(text, [](char32_t) { return false; });
}

std::string printable(std::string_view text) { return filtered(text, is_unsafe); }

bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Utf8Character c = first_character(text);
    const bool combining = c.code >= 0x0300 && c.code <= 0x036F;
    width += combining ? 0U : is_wide(c.code) ? 2U : 1U;
    text.remove_prefix(c.size);
  }
  return width;
}

}  // namespace tunnelwatch::exporters
