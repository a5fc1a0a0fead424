#include "probes/io/default_interfaces.h"

#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using Names = std::vector<std::string>;

constexpr char kHeader[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

TEST(DefaultInterfaces, OfBothTablesEachOnce) {
  const std::string v4 = std::string(kHeader) +
                         "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
                         "eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
                         "ppp0\t00000000\t00000000\t0001\t0\t0\t200\t00000000\t0\t0\t0\n";
  const std::string zero(32, '0');
  const std::string v6 = zero + " 00 " + zero +
                         " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n" + zero +
                         " 00 " + zero + " 00 " + zero + " 00000400 00000001 00000000 00000003     wan6\n" + zero +
                         " 00 " + zero + " 00 " + zero + " ffffffff 00000001 00000000 00200200       lo\n";
  EXPECT_EQ(default_route_interfaces(v4, v6), (Names{"eth0", "ppp0", "wan6"}));
}

TEST(DefaultInterfaces, NotThoseOfOtherRoutes) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"a half of the net", "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"},
      {"not up", "eth1\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"},
      {"reject", "eth1\t00000000\t010200C0\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"},
      {"loopback", "lo\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"},
      {"cut", "eth1\t00000000\t0102"},
      {"flags that are no number", "eth1\t00000000\t010200C0\tzz\t0\t0\t0\t00000000\t0\t0\t0\n"},
      {"nothing", ""},
  };
  for (const auto& [name, line] : rows) {
    SCOPED_TRACE(name);
    EXPECT_EQ(default_route_interfaces(kHeader + line, line), Names{});
  }
}

}  // namespace
}  // namespace tunnelwatch::io
