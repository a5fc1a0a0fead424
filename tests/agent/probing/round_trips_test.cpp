#include "agent/probing/round_trips.h"

#include <numeric>

#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;

TEST(RoundTrips, OfNothingAreNoHistogram) { EXPECT_EQ(RoundTrips().report().bounds, nullptr); }

TEST(RoundTrips, EachFallsIntoTheBucketThatEndsAtOrAboveIt) {
  struct Row {
    Duration rtt;
    std::size_t bucket;
  };
  for (const Row& row :
       {Row{0us, 0}, Row{50us, 0}, Row{51us, 1}, Row{200us, 1}, Row{20ms, 5}, Row{13s, 9}, Row{14s, 10}, Row{1h, 10}}) {
    RoundTrips trips;
    trips.add(row.rtt);
    const auto told = trips.report();
    ASSERT_NE(told.bounds, nullptr);
    ASSERT_EQ(told.counts.size(), told.bounds->size() + 1);
    EXPECT_EQ(told.counts[row.bucket], 1U) << row.rtt.count();
    EXPECT_EQ(std::accumulate(told.counts.begin(), told.counts.end(), std::uint64_t{0}), 1U);
    EXPECT_DOUBLE_EQ(told.sum, to_seconds(row.rtt));
  }
}

}  // namespace
}  // namespace tunnelwatch::agent
