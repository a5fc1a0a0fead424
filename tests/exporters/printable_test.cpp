#include "exporters/text/printable.h"

#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

TEST(Printable, Table) {
  struct Row {
    const char* name;
    std::string in;
    std::string utf8;
    std::string printable;
  };
  const std::string bad = "\xEF\xBF\xBD";
  const Row rows[] = {
      {"ascii", "plain <b>", "plain <b>", "plain <b>"},
      {"chinese", "认证失败", "认证失败", "认证失败"},
      {"escape sequence", "a\x1b[31m", "a\x1b[31m", "a" + bad + "[31m"},
      {"newline and delete", "a\n\x7f", "a\n\x7f", "a" + bad + bad},
      {"C1 control", "\xC2\x9B", "\xC2\x9B", bad},
      {"right-to-left override", "\xE2\x80\xAE", "\xE2\x80\xAE", bad},
      {"lone continuation", "\x80x", bad + "x", bad + "x"},
      {"cut short", "\xE8\xAE", bad + bad, bad + bad},
      {"overlong slash", "\xC0\xAF", bad + bad, bad + bad},
      {"overlong in three bytes", "\xE0\x80\xAF", bad + bad + bad, bad + bad + bad},
      {"surrogate", "\xED\xA0\x80", bad + bad + bad, bad + bad + bad},
      {"above U+10FFFF", "\xF4\x90\x80\x80", bad + bad + bad + bad, bad + bad + bad + bad},
      {"zero byte", std::string("a\0b", 3), std::string("a\0b", 3), "a" + bad + "b"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(valid_utf8(row.in), row.utf8);
    EXPECT_EQ(printable(row.in), row.printable);
  }
}

TEST(Printable, EveryPrefixIsMadeValid) {
  const std::string text = "a\xC3\xA9\xE8\xAE\xA4\xF0\x9F\x94\x92";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string valid = valid_utf8(text.substr(0, size));
    EXPECT_EQ(valid_utf8(valid), valid) << size;
  }
}

TEST(Printable, DisplayWidth) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("认证a"), 5U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
}

}  // namespace
}  // namespace tunnelwatch::exporters
