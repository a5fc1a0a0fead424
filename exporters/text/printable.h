#pragma once

#include <string>
#include <string_view>

// What a peer, a log or a file said is shown only through one of these: labels and JSON must be UTF-8, and a terminal
// must not be told to move its cursor.
namespace tunnelwatch::exporters {

// Each byte that is not part of well-formed UTF-8 (RFC 3629) becomes U+FFFD.
std::string valid_utf8(std::string_view text);

// As valid_utf8; control characters (C0, DEL, C1), line separators and bidirectional overrides become U+FFFD too.
std::string printable(std::string_view text);

// Nothing but what a terminal and JSON take as it is, quotes and backslashes of JSON apart.
bool is_plain_ascii(std::string_view text);

// Columns that a terminal gives to well-formed UTF-8: two for East Asian wide characters, none for combining marks.
std::size_t display_width(std::string_view text);

// One character of well-formed UTF-8; malformed bytes come one at a time with `code` U+FFFD and `valid` false.
struct Utf8Character {
  char32_t code = 0;
  std::size_t size = 0;  // 0: the end
  bool valid = true;
};
Utf8Character first_character(std::string_view text);
bool is_wide(char32_t code);

}  // namespace tunnelwatch::exporters
