#include "probes/host/syslog_framing.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines_of(std::string_view bytes, std::size_t step, std::size_t longest = 64) {
  SyslogFraming framing(longest);
  std::vector<std::string> lines;
  const auto tell = [&](std::string_view line) { lines.emplace_back(line); };
  for (std::size_t at = 0; at < bytes.size(); at += step) framing.feed(bytes.substr(at, step), tell);
  framing.finish(tell);
  return lines;
}

TEST(SyslogFraming, LinesAndMessagesWithTheirLengthInAnyPieces) {
  const std::string text = "<30>one\n9 <30>a\nb c10 <30>second<30>two\r\n123 no length\n5 <30>x";
  const auto whole = lines_of(text, text.size());
  EXPECT_THAT(whole, ElementsAre("<30>one", "<30>a", "b c", "<30>second", "<30>two", "123 no length", "<30>x"));
  for (std::size_t step = 1; step < text.size(); ++step) EXPECT_EQ(lines_of(text, step), whole) << step;
}

TEST(SyslogFraming, ALengthThatIsTooLongCutsItsMessageAlone) {
  EXPECT_THAT(lines_of("12 <30>abcdefgh<30>y\n", 3, 8), ElementsAre("<30>abcd", "<30>y"));
}

TEST(SyslogFraming, ALengthThatIsALieIsBounded) {
  const std::string text = "9999999 <30>" + std::string(100'000, 'x');
  const auto lines = lines_of(text, 4096);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].size(), 64U);
  EXPECT_THAT(lines_of("99999999 <30>x\n", 1), ElementsAre("99999999 <30>x")) << "no length has so many digits";
}

TEST(SyslogFraming, NumbersThatAreNoLength) {
  EXPECT_THAT(lines_of("12\n 5 <30>x\n12  <30>y\n<>\n", 1), ElementsAre("12", " 5 <30>x", "12  <30>y", "<>"));
}

}  // namespace
}  // namespace tunnelwatch::host
