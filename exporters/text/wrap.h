#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tunnelwatch::exporters {

// The text in lines of at most `columns`, each ended by a newline, broken at spaces, between East Asian characters, and
// where a word is longer than a line. The first line begins with `label`, filled up to `indent` columns with spaces,
// the others with that many spaces. `text` is printable UTF-8.
std::string wrapped(std::string_view label, std::size_t indent, std::string_view text, std::size_t columns);

}  // namespace tunnelwatch::exporters
