#include "agent/cli/progress_bar.h"

#include <gtest/gtest.h>

namespace tunnelwatch::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiga = 1'000'000'000;
constexpr TimePoint kBegun = TimePoint{} + 1h;

TEST(ProgressBar, SaysHowFarHowFastAndHowLong) {
  ProgressBar bar(kBegun);
  EXPECT_EQ(bar.update(30'000'000, 4 * kGiga, kBegun + 100ms), "\r\x1b[Kanalyze: 30 MB of 4.0 GB, 1 %");  // no rate yet
  EXPECT_EQ(bar.update(kGiga, 4 * kGiga, kBegun + 4s), "\r\x1b[Kanalyze: 1.0 GB of 4.0 GB, 25 %, 250 MB/s, 12 s left");
  EXPECT_EQ(bar.update(2 * kGiga, 100 * kGiga, kBegun + 8s),
            "\r\x1b[Kanalyze: 2.0 GB of 100.0 GB, 2 %, 250 MB/s, 6 min 32 s left");
  EXPECT_EQ(bar.update(kGiga, 100 * kGiga, kBegun + 100s),
            "\r\x1b[Kanalyze: 1.0 GB of 100.0 GB, 1 %, 10 MB/s, 2 h 45 min left");
}

TEST(ProgressBar, ChangesNoFasterThanItCanBeRead) {
  ProgressBar bar(kBegun);
  EXPECT_TRUE(bar.update(1, kGiga, kBegun + 1s));
  EXPECT_FALSE(bar.update(2, kGiga, kBegun + 1199ms));
  EXPECT_TRUE(bar.update(3, kGiga, kBegun + 1200ms));
}

TEST(ProgressBar, NotForWhatIsReadAtOnce) {
  ProgressBar bar(kBegun);
  EXPECT_FALSE(bar.update(1, ProgressBar::kWorthIt - 1, kBegun + 1s));
  EXPECT_FALSE(bar.update(1, 0, kBegun + 2s));
  EXPECT_EQ(bar.erase(), "");
  EXPECT_TRUE(bar.update(1, ProgressBar::kWorthIt, kBegun + 3s));
  EXPECT_EQ(bar.erase(), "\r\x1b[K");
}

TEST(ProgressBar, AFileThatGrowsIsAtMostWhole) {
  ProgressBar bar(kBegun);
  EXPECT_EQ(bar.update(3 * kGiga, kGiga, kBegun + 1s), "\r\x1b[Kanalyze: 1.0 GB of 1.0 GB, 100 %, 1.0 GB/s, 0 s left");
}

}  // namespace
}  // namespace tunnelwatch::cli
