#include "probes/active/keyed_random.h"

#include <set>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

// The reference vector of the SipHash paper (appendix A) has 15 bytes and no word of ours; the 16-byte row of the
// published vectors_sip64 table, key 00..0f, message 00..0f, is 3f2acc7f57c29bdb as little-endian bytes
// db9bc2577fcc2a3f.
TEST(SipHash, MatchesThePublishedVectorOfSixteenBytes) {
  EXPECT_EQ(siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x0706050403020100, 0x0f0e0d0c0b0a0908),
            0x3f2acc7f57c29bdbU);
}

TEST(KeyedRandom, TheSameSeedGivesTheSameNumbersAndAnotherSeedOthers) {
  KeyedRandom a(1), b(1), c(2);
  EXPECT_EQ(a.tag(3, 4), b.tag(3, 4));
  EXPECT_NE(a.tag(3, 4), c.tag(3, 4));
  EXPECT_NE(a.tag(3, 4), a.tag(4, 3));
  EXPECT_EQ(a.next(), b.next());
}

TEST(KeyedRandom, NextDoesNotRepeat) {
  KeyedRandom random(7);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(random.next()).second);
}

TEST(RandomSeed, DiffersFromCallToCall) { EXPECT_NE(random_seed(), random_seed()); }

}  // namespace
}  // namespace tunnelwatch::active
