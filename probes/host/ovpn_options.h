#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::host {

inline constexpr std::size_t kMaxOvpnWords = 16;  // of an option, itself included

// The words of one line as the client splits them: blanks part them, "..." and '...' hold them together, a backslash
// takes the next character as it is (not within '...'), and # or ; before a word ends the line. Nothing where a quote
// is left open or there are too many words.
std::optional<std::vector<std::string>> split_ovpn_line(std::string_view line);

}  // namespace tunnelwatch::host
