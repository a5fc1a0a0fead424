#include "probes/host/line_splitter.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Lines {
 public:
  explicit Lines(std::size_t longest = 16) : splitter(longest) {}
  void feed(std::string_view bytes) {
    splitter.feed(bytes, [this](std::string_view line) { seen.emplace_back(line); });
  }
  void finish() {
    splitter.finish([this](std::string_view line) { seen.emplace_back(line); });
  }
  LineSplitter splitter;
  std::vector<std::string> seen;
};

TEST(LineSplitter, LinesComeInAnyPieces) {
  const std::string text = "one\r\ntwo\n\n\r\nthree\nfour";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    Lines lines;
    for (std::size_t at = 0; at < text.size(); at += step) lines.feed(std::string_view(text).substr(at, step));
    EXPECT_THAT(lines.seen, ElementsAre("one", "two", "three")) << step;
    lines.finish();
    EXPECT_THAT(lines.seen, ElementsAre("one", "two", "three", "four")) << step;
    EXPECT_EQ(lines.splitter.too_long(), 0U);
  }
}

TEST(LineSplitter, OfALineThatIsTooLongTheBeginningIsToldOnce) {
  Lines lines(4);
  lines.feed("abcd\nabcde\nabc");
  EXPECT_THAT(lines.seen, ElementsAre("abcd", "abcd"));
  EXPECT_EQ(lines.splitter.too_long(), 1U);
  lines.feed("defghijklmnop");
  lines.feed("qrstuvwxyz");
  EXPECT_THAT(lines.seen, ElementsAre("abcd", "abcd", "abcd"));
  lines.feed("\nx\n");
  EXPECT_THAT(lines.seen, ElementsAre("abcd", "abcd", "abcd", "x"));
  EXPECT_EQ(lines.splitter.too_long(), 2U);
}

TEST(LineSplitter, AnyBytesAreToldAsTheyAre) {
  Lines lines;
  const std::string bytes("a\0b\xff\xfe\n\0\n", 8);
  lines.feed(bytes);
  EXPECT_THAT(lines.seen, ElementsAre(std::string("a\0b\xff\xfe", 5), std::string(1, '\0')));
}

TEST(LineSplitter, AnEndWithoutALineTellsNothing) {
  Lines lines;
  lines.finish();
  lines.feed("a\n");
  lines.finish();
  EXPECT_THAT(lines.seen, ElementsAre("a"));
  lines.seen.clear();
  lines.feed("\r");
  lines.finish();
  EXPECT_THAT(lines.seen, IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch::host
