#include "probes/host/xfrm_stat.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

std::string recorded() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/xfrm/xfrm_stat.txt");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(XfrmStat, AKernelsOwnFileHasEveryCount) {
  const std::string text = recorded();
  ASSERT_FALSE(text.empty());
  const auto stat = parse_xfrm_stat(text);
  ASSERT_TRUE(stat);
  // Each line with a number of its own: whatever is read twice or left out shows.
  std::string numbered;
  std::istringstream lines(text);
  std::uint64_t number = 0;
  for (std::string line; std::getline(lines, line);)
    numbered += line.substr(0, line.find(' ')) + " \t" + std::to_string(++number) + "\n";
  EXPECT_GE(number, kXfrmErrorCount);
  const auto counts = parse_xfrm_stat(numbered)->counts;
  EXPECT_EQ(std::set(counts.begin(), counts.end()).size(), kXfrmErrorCount);
  EXPECT_FALSE(std::set(counts.begin(), counts.end()).contains(0));
}

TEST(XfrmStat, CountsByName) {
  const auto stat =
      parse_xfrm_stat("XfrmInNoStates          \t17\nXfrmOutNoStates\t18446744073709551615\nXfrmSomethingNew 4\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ((*stat)[XfrmError::in_no_states], 17U);
  EXPECT_EQ((*stat)[XfrmError::out_no_states], 18446744073709551615U);
  EXPECT_EQ((*stat)[XfrmError::in_no_pols], 0U);
}

TEST(XfrmStat, WhatIsNoCountIsLeftOut) {
  for (const char* text : {"", "\n\n", "nonsense", "XfrmInNoStates", "XfrmInNoStates -1",
                           "XfrmInNoStates 99999999999999999999", "XfrmInNoStates 12x", "XfrmSomethingNew 4"}) {
    EXPECT_FALSE(parse_xfrm_stat(text)) << text;
  }
}

TEST(XfrmStat, ErrorsAreNamedApart) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kXfrmErrorCount; ++i) names.insert(to_string(static_cast<XfrmError>(i)));
  EXPECT_EQ(names.size(), kXfrmErrorCount);
}

}  // namespace
}  // namespace tunnelwatch::host
