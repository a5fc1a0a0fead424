#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/parse_error.h"
#include "tests/support/ike_bytes.h"

#include <functional>

#include <gtest/gtest.h>

// Truncation at every byte, and views that stay inside what was given: what every parser of a payload must stand.
namespace tunnelwatch::test {

// Hex with spaces, as the RFCs' figures are read aloud.
inline Buffer from_hex(std::string_view text) {
  Buffer bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

inline bool lies_inside(wire::Bytes view, wire::Bytes input) {
  if (view.empty()) return true;
  const std::less_equal<const std::uint8_t*> not_behind;
  return not_behind(input.data(), view.data()) && not_behind(view.data() + view.size(), input.data() + input.size());
}

// Refuses each prefix shorter than `least` and takes each from there on. A prefix stands in a buffer of its own, so
// that ASan sees a read behind it.
template <typename Parse>
void expect_prefixes(Parse parse, const Buffer& body, std::size_t least) {
  for (std::size_t n = 0; n <= body.size(); ++n) {
    SCOPED_TRACE(n);
    const Buffer prefix(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(n));
    const auto parsed = parse(wire::Bytes(prefix));
    EXPECT_EQ(parsed.has_value(), n >= least);
    if (parsed) continue;
    EXPECT_EQ(parsed.error(), wire::ParseError::bad_payload_length);
  }
}

// Nothing but the whole will do.
template <typename Parse>
void expect_only_whole(Parse parse, const Buffer& body) {
  expect_prefixes(parse, body, body.size());
}

}  // namespace tunnelwatch::test
