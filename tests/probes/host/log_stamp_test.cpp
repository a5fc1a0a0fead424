#include "probes/host/log_stamp.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using namespace std::chrono_literals;

WallTime utc(int year, unsigned month, unsigned day, Duration of_day) {
  const std::chrono::sys_days midnight{
      std::chrono::year_month_day{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)}};
  return WallTime{std::chrono::time_point_cast<Duration>(midnight).time_since_epoch() + of_day};
}

const WallTime kReference = utc(2025, 2, 5, 12h);
constexpr std::chrono::seconds kLocal = 8h;  // of whoever wrote it, where the stamp has no zone

struct Row {
  const char* line;
  WallTime at;
};

TEST(LogStamp, AsDaemonsDevicesAndCloudsWriteIt) {
  const Row rows[] = {
      {"2025-02-05T10:00:00Z version mismatch", utc(2025, 2, 5, 10h)},
      {"2025-02-05T10:00:00.250+08:00 gw charon: x", utc(2025, 2, 5, 2h + 250ms)},
      {"2025-02-05T10:00:00.250000+0800 gw charon: x", utc(2025, 2, 5, 2h + 250ms)},
      {"2025-02-05T10:00:00-03:30 x", utc(2025, 2, 5, 13h + 30min)},
      {"2025-02-05 10:00:00,5 x", utc(2025, 2, 5, 2h + 500ms)},
      {"2025/02/05  10:00:00.123 vpn-hz-1 x", utc(2025, 2, 5, 2h + 123ms)},
      {"<188>1 2025-02-05T10:00:00Z gw x", utc(2025, 2, 5, 10h)},
      {"  198.51.100.20  500  dpd timeout  v2  2025-02-05 10:00:00 ", utc(2025, 2, 5, 2h)},
      {"Feb  5 10:00:00 gw charon: x", utc(2025, 2, 5, 2h)},
      {"<30>Feb 05 10:00:00.75 gw charon: x", utc(2025, 2, 5, 2h + 750ms)},
      {"Feb  5 2024 10:00:00 gw %%01IKE/4/NEGO(l): x", utc(2024, 2, 5, 2h)},
      {"[Feb 05, 2024, 10:00:00] EVENT: x", utc(2024, 2, 5, 2h)},
      {"Mon Feb  5 10:00:00 2024 TLS Error: x", utc(2024, 2, 5, 2h)},
      {"Dec 31 23:59:59 gw charon: x", utc(2024, 12, 31, 15h + 59min + 59s)},
      {"Feb 29 10:00:00 gw charon: x", utc(2024, 2, 29, 2h)},
      {"10:00:00.500 05[IKE] x", utc(2025, 2, 5, 2h + 500ms)},
      {"23:30:00 05[IKE] x", utc(2025, 2, 5, 15h + 30min)},
      {"01:00:00 05[IKE] x", utc(2025, 2, 5, 17h)},
      {"1738750000.500000 gw charon[12]: x", WallTime{1738750000s + 500ms}},
  };
  for (const Row& row : rows) {
    const auto stamp = find_stamp(row.line);
    ASSERT_TRUE(stamp) << row.line;
    EXPECT_EQ(resolve(*stamp, kReference, kLocal).time_since_epoch().count(), row.at.time_since_epoch().count())
        << row.line;
  }
}

TEST(LogStamp, WhatLooksLikeOneAndIsNone) {
  for (const char* line :
       {"", "05[IKE] giving up after 5 retransmits", "2025-02-30 10:00:00 x", "2025-13-01 10:00:00 x",
        "2025-02-05 25:00:00 x", "2025-02-05 10:61:00 x", "2025-02-05", "12025-02-05 10:00:00", "Feb 30 10:00:00 x",
        "February 5 10:00:00 x", "Feb  5 10:00 x", "1999999999999999-01-01 10:00:00", "x 10:00:00", "10:00:00x",
        "1738750000 gw x", "17387500001.5 gw x", "9999-01-01 10:00:00", "0000-01-01 10:00:00"}) {
    EXPECT_FALSE(find_stamp(line)) << line;
  }
}

TEST(LogStamp, EveryCutIsHarmless) {
  for (const std::string line : {"2025-02-05T10:00:00.250+08:00", "[Feb 05, 2024, 10:00:00]", "1738750000.5 x"}) {
    for (std::size_t length = 0; length <= line.size(); ++length) {
      if (const auto stamp = find_stamp(line.substr(0, length))) {
        EXPECT_NE(resolve(*stamp, kReference, kLocal), WallTime{}) << line.substr(0, length);
      }
    }
  }
}

TEST(LogStamp, NothingFarBehindIsLookedAt) {
  EXPECT_TRUE(find_stamp(std::string(400, '.') + "2025-02-05 10:00:00"));
  EXPECT_FALSE(find_stamp(std::string(600, '.') + "2025-02-05 10:00:00"));
}

}  // namespace
}  // namespace tunnelwatch::host
