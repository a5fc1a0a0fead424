#pragma once

#include "config/document.h"

#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::config {

struct TextFault {
  Position position;  // 0: about the whole text
  std::string message;
};

// What must hold before a YAML parser may see the bytes: size, valid UTF-8, no control characters, few enough flow
// indicators. One pass, no allocation but for the fault.
std::optional<TextFault> check_text(std::string_view text);

// The length of the UTF-8 sequence at the front (RFC 3629: no overlong forms, no surrogates), 0 where it is none.
std::size_t utf8_sequence(std::string_view text);

// Whether a whole text is valid UTF-8 without control characters (C0, DEL, C1) and without a byte order mark.
bool is_plain_text(std::string_view text);

}  // namespace tunnelwatch::config
