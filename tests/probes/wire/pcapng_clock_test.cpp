#include "probes/wire/pcapng_clock.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

TEST(PcapngClock, Resolutions) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kEnd = 7'258'118'400;  // 2200
  struct Row {
    std::string name;
    unsigned resolution;
    std::uint64_t ticks;
    std::optional<std::int64_t> nanoseconds;
  };
  const std::vector<Row> rows{
      {"seconds", 0, 1'700'000'000, 1'700'000'000 * kSecond},
      {"milliseconds", 3, 1'700'000'000'123, 1'700'000'000'123'000'000},
      {"microseconds", 6, 1'700'000'000'123'456, 1'700'000'000'123'456'000},
      {"nanoseconds", 9, 1'700'000'000'123'456'789, 1'700'000'000'123'456'789},
      {"tenths of nanoseconds", 10, 17'000'000'001'234'567'899ULL, 1'700'000'000'123'456'789},
      {"picoseconds", 12, 999'999, 999},
      {"the shortest of ten", 19, kMost, 1'844'674'407},
      {"shorter still", 20, 5, {}},
      {"far shorter", 0x7f, 5, {}},
      {"seconds by two", 0x80, 1'700'000'000, 1'700'000'000 * kSecond},
      {"halves", 0x81, 3, 1'500'000'000},
      {"2^-10", 0x8a, 1024 * 5 + 1, 5 * kSecond + 976'562},
      {"2^-20", 0x94, (1'700'000'000ULL << 20) + (1U << 19), 1'700'000'000 * kSecond + kSecond / 2},
      {"2^-30", 0x9e, (1'700'000'000ULL << 30) + 1, 1'700'000'000 * kSecond},
      {"2^-32, as of NTP", 0xa0, (1'700'000'000ULL << 32) + 0xffffffff, 1'700'000'000 * kSecond + 999'999'999},
      {"2^-34", 0xa2, (5ULL << 34) + (3ULL << 32), 5'750'000'000},
      {"2^-35", 0xa3, (5ULL << 35) + (3ULL << 33), 5'750'000'000},
      {"2^-60", 0xbc, kMost, 15'999'999'999},
      {"the shortest of two", 0xbf, kMost, 1'999'999'999},
      {"shorter than 64 bits", 0xc0, 5, {}},
      {"far shorter than that", 0xff, 5, {}},
      {"the last second", 0, kEnd - 1, (kEnd - 1) * kSecond},
      {"one later", 0, kEnd, {}},
      {"the last second by two", 0x80, kEnd - 1, (kEnd - 1) * kSecond},
      {"one later by two", 0x80, kEnd, {}},
      {"the last nanosecond", 9, kEnd * kSecond - 1, kEnd * kSecond - 1},
      {"the end in nanoseconds", 9, kEnd * kSecond, {}},
      {"so late that 64 bits of nanoseconds begin anew", 0, 18'446'744'074, {}},
      {"so late by two that 64 bits of nanoseconds begin anew", 0x80, 18'446'744'074, {}},
      {"the latest of all", 0, kMost, {}},
      {"the latest of all by two", 0x80, kMost, {}},
      {"the latest of all in tenths of nanoseconds", 10, kMost, 1'844'674'407'370'955'161},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    PcapngClock clock;
    clock.set_resolution(static_cast<std::uint8_t>(row.resolution));
    const auto at = clock.at(row.ticks);
    EXPECT_EQ(at ? std::optional(at->count()) : std::nullopt, row.nanoseconds);
  }
}

TEST(PcapngClock, Offsets) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kEnd = 7'258'118'400;
  struct Row {
    std::string name;
    std::int64_t offset;
    std::uint64_t seconds;
    std::optional<std::int64_t> nanoseconds;
  };
  const std::vector<Row> rows{
      {"none", 0, 5, 5 * kSecond},
      {"of a machine that counts from its start", 1'700'000'000, 5, 1'700'000'005 * kSecond},
      {"back", -3, 5, 2 * kSecond},
      {"back to the epoch", -5, 5, 0},
      {"before the epoch", -6, 5, {}},
      {"to the last second", kEnd - 6, 5, (kEnd - 1) * kSecond},
      {"beyond it", kEnd - 5, 5, {}},
      {"the highest", std::numeric_limits<std::int64_t>::max(), 5, {}},
      {"the lowest", std::numeric_limits<std::int64_t>::min(), kEnd - 1, {}},
      {"the lowest that is not clamped", -kEnd, kEnd - 1, {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    PcapngClock clock;
    clock.set_offset(static_cast<std::uint64_t>(row.offset));
    const auto at = clock.at(row.seconds * 1'000'000);
    EXPECT_EQ(at ? std::optional(at->count()) : std::nullopt, row.nanoseconds);
  }
}

}  // namespace
}  // namespace tunnelwatch::wire
