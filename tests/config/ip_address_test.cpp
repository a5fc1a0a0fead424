#include "config/ip_address.h"

#include <array>
#include <unordered_set>

#include <gtest/gtest.h>

namespace tunnelwatch {
namespace {

IpAddress address(const char* text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

IpPrefix prefix(const char* text) {
  const auto parsed = IpPrefix::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpPrefix{});
}

TEST(IpAddress, TextGoesBothWays) {
  for (const char* text :
       {"0.0.0.0", "192.0.2.10", "255.255.255.255", "::", "::1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    EXPECT_EQ(address(text).to_string(), text);
  }
  EXPECT_EQ(address("2001:DB8:0:0::1").to_string(), "2001:db8::1");
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
                          "1.2.3.4\0"sv, "0x1.2.3.4"sv, ":::"sv, "1::2::3"sv, "fe80::1%eth0"sv, "[::1]"sv, "12345::"sv,
                          "1.2.3.4/24"sv, "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, BytesAndNumbersAgree) {
  const std::array<std::uint8_t, 4> bytes{192, 0, 2, 10};
  EXPECT_EQ(IpAddress::v4(bytes), address("192.0.2.10"));
  EXPECT_EQ(IpAddress::v4(0xc000020a), address("192.0.2.10"));
  EXPECT_EQ(address("192.0.2.10").bytes().size(), 4U);
  std::array<std::uint8_t, 16> wide{};
  wide[15] = 1;
  EXPECT_EQ(IpAddress::v6(wide), address("::1"));
  EXPECT_EQ(address("::1").bytes().size(), 16U);
}

TEST(IpAddress, FamiliesNeverCompareEqual) {
  EXPECT_NE(address("0.0.0.0"), address("::"));
  EXPECT_NE(address("192.0.2.1"), address("::ffff:192.0.2.1"));
  EXPECT_NE(address("0.0.0.0").hash(), address("::").hash());
}

TEST(IpAddress, Kinds) {
  struct Row {
    const char* text;
    bool loopback, multicast, link_local, is_private;
  };
  for (const Row& row : {Row{"127.0.0.1", true, false, false, false},   Row{"127.255.0.1", true, false, false, false},
                         Row{"::1", true, false, false, false},         Row{"224.0.0.1", false, true, false, false},
                         Row{"239.1.1.1", false, true, false, false},   Row{"240.0.0.1", false, false, false, false},
                         Row{"ff02::1", false, true, false, false},     Row{"169.254.1.1", false, false, true, false},
                         Row{"fe80::1", false, false, true, false},     Row{"febf::1", false, false, true, false},
                         Row{"fec0::1", false, false, false, false},    Row{"10.0.0.1", false, false, false, true},
                         Row{"172.16.0.1", false, false, false, true},  Row{"172.31.255.1", false, false, false, true},
                         Row{"172.32.0.1", false, false, false, false}, Row{"192.168.1.1", false, false, false, true},
                         Row{"100.64.0.1", false, false, false, true},  Row{"100.128.0.1", false, false, false, false},
                         Row{"fd00::1", false, false, false, true},     Row{"8.8.8.8", false, false, false, false},
                         Row{"2001:db8::1", false, false, false, false}}) {
    SCOPED_TRACE(row.text);
    const auto a = address(row.text);
    EXPECT_EQ(a.is_loopback(), row.loopback);
    EXPECT_EQ(a.is_multicast(), row.multicast);
    EXPECT_EQ(a.is_link_local(), row.link_local);
    EXPECT_EQ(a.is_private(), row.is_private);
  }
  EXPECT_TRUE(address("0.0.0.0").is_unspecified());
  EXPECT_TRUE(address("::").is_unspecified());
  EXPECT_FALSE(address("::1").is_unspecified());
}

TEST(IpAddress, HashSpreadsNeighbours) {
  std::unordered_set<std::size_t> hashes;
  for (std::uint32_t i = 0; i < 4096; ++i) hashes.insert(IpAddress::v4(0x0a000000 + i).hash());
  EXPECT_EQ(hashes.size(), 4096U);
}

TEST(IpPrefix, TextGoesBothWays) {
  for (const char* text : {"10.1.0.0/16", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0", "10.1.2.128/25"}) {
    EXPECT_EQ(prefix(text).to_string(), text);
  }
  EXPECT_EQ(prefix("192.0.2.1").to_string(), "192.0.2.1/32");
  EXPECT_EQ(prefix("::1").to_string(), "::1/128");
}

TEST(IpPrefix, RefusesWhatIsNoSubnet) {
  for (const char* text :
       {"", "/", "10.1.0.0/", "10.1.0.0/33", "::/129", "10.1.0.1/24", "10.1.2.192/25", "10.0.0.0/08", "10.0.0.0/-1",
        "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8", "2001:db8::1/32", "a/8", "10.0.0.0/99999999999999999999"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

TEST(IpPrefix, ContainsAndOverlaps) {
  EXPECT_TRUE(prefix("10.1.0.0/16").contains(address("10.1.255.255")));
  EXPECT_FALSE(prefix("10.1.0.0/16").contains(address("10.2.0.0")));
  EXPECT_TRUE(prefix("10.1.2.128/25").contains(address("10.1.2.200")));
  EXPECT_FALSE(prefix("10.1.2.128/25").contains(address("10.1.2.127")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("8.8.8.8")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
  EXPECT_FALSE(prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.1.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.1.0.0/16").overlaps(prefix("10.2.0.0/16")));
  EXPECT_TRUE(prefix("2001:db8::/32").contains(address("2001:db8:1::1")));
}

TEST(IpPrefix, OfAnAddressClearsTheHostBits) {
  EXPECT_EQ(IpPrefix::of(address("10.1.2.255"), 25), prefix("10.1.2.128/25"));
  EXPECT_EQ(IpPrefix::of(address("10.1.2.3"), 0), prefix("0.0.0.0/0"));
  EXPECT_EQ(IpPrefix::of(address("10.1.2.3"), 32), prefix("10.1.2.3/32"));
  EXPECT_EQ(IpPrefix::of(address("10.1.2.3"), 64), prefix("10.1.2.3/32"));
  EXPECT_EQ(IpPrefix::of(address("2001:db8:ffff::1"), 33), prefix("2001:db8:8000::/33"));
}

}  // namespace
}  // namespace tunnelwatch
