#include "config/units.h"

#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsNeedAUnit) {
  EXPECT_EQ(parse_duration("800ms"), 800ms);
  EXPECT_EQ(parse_duration("1s"), 1s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0s"), 0ms);
  for (const char* bad : {"", "5", "s", "1 s", " 1s", "1s ", "-1s", "+1s", "01s", "1.5s", "1S", "1d", "1m30s", "0x1s",
                          "9223372036854775807s", "18446744073709551616ms"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(Units, SizesNeedAUnit) {
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("16MiB"), 16U << 20);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
  for (const char* bad : {"", "512", "16MB", "16mib", "16 MiB", "016MiB", "9223372036854775807KiB"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Units, AsNumbersAreWrittenInTwoWays) {
  EXPECT_EQ(parse_as_number("65001"), 65001U);
  EXPECT_EQ(parse_as_number("4294967295"), 4294967295U);
  EXPECT_EQ(parse_as_number("1.10"), 65546U);
  EXPECT_EQ(parse_as_number("1.1"), 65537U);
  EXPECT_EQ(parse_as_number("0.65001"), 65001U);
  EXPECT_EQ(parse_as_number("65535.65535"), 4294967295U);
  for (const char* bad :
       {"", ".", "1.", ".1", "4294967296", "65536.0", "0.65536", "1.2.3", "AS65001", "01", "1.01", "-1", "1e5"}) {
    EXPECT_EQ(parse_as_number(bad), std::nullopt) << bad;
  }
}

TEST(Units, BandwidthsArePowersOfTen) {
  EXPECT_EQ(parse_bandwidth("9bit"), 9U);
  EXPECT_EQ(parse_bandwidth("500kbit"), 500'000U);
  EXPECT_EQ(parse_bandwidth("100Mbit"), 100'000'000U);
  EXPECT_EQ(parse_bandwidth("1Gbit"), 1'000'000'000U);
  for (const char* bad : {"", "100", "100M", "100mbit", "100Mbps", "1Tbit", "99999999999Gbit"}) {
    EXPECT_EQ(parse_bandwidth(bad), std::nullopt) << bad;
  }
}

TEST(Units, WholeNumbersAreDecimal) {
  EXPECT_EQ(parse_whole("0"), 0U);
  EXPECT_EQ(parse_whole("18446744073709551615"), 18446744073709551615ULL);
  for (const char* bad : {"", "010", "00", "0x10", "0o7", "1e3", "1_000", "-1", "+1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(parse_whole(bad), std::nullopt) << bad;
  }
}

TEST(Units, RatiosAreFromZeroToOne) {
  EXPECT_EQ(parse_ratio("0"), 0.0);
  EXPECT_EQ(parse_ratio("0.02"), 0.02);
  EXPECT_EQ(parse_ratio("1.0"), 1.0);
  for (const char* bad :
       {"", ".5", "1.", "1.1", "2", "-0.1", "1e-2", "2%", "nan", "inf", "0.0.1", "00.1", "0.0000000000000000001"}) {
    EXPECT_EQ(parse_ratio(bad), std::nullopt) << bad;
  }
}

TEST(Units, FormatsTheShortestThatReadsBack) {
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(800ms), "800ms");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(2h), "2h");
  EXPECT_EQ(format_size(2048), "2KiB");
  EXPECT_EQ(format_size(2049), "2049B");
  EXPECT_EQ(format_bandwidth(1'000'000'000), "1Gbit");
  EXPECT_EQ(format_bandwidth(1'500'000'000), "1500Mbit");
  EXPECT_EQ(format_ratio(0.02), "0.02");
  EXPECT_EQ(format_ratio(0), "0");
  for (const double ratio : {0.1, 1.0 / 3, 1e-16, 0.99999999999999}) {
    const auto text = format_ratio(ratio);
    ASSERT_LE(text.size(), 20U);
    EXPECT_EQ(parse_ratio(text), ratio) << text;
  }
}

TEST(Units, DnsNames) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  for (const auto& good : {std::string("a"), std::string("vpn.example.com"), std::string("vpn.example.com."),
                           std::string("1.2.3.4.example"), std::string("xn--fiqs8s"), std::string("a-b.c9"), longest}) {
    EXPECT_TRUE(is_dns_name(good)) << good;
  }
  for (const auto& bad : {std::string(""), std::string("."), std::string("a..b"), std::string(".a"), std::string("a.."),
                          std::string("-a"), std::string("a-"), std::string("a_b"), std::string("a b"),
                          std::string("10.1.1"), std::string("300.1.1.1"), std::string("a.1"), label + "a",
                          longest + "b", std::string("fe80::1%eth0"), std::string("h\xc3\xa4")}) {
    EXPECT_FALSE(is_dns_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace tunnelwatch::config
