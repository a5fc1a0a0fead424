#include "probes/host/ip_counters.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

const std::string kSnmp =
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams\n"
    "Ip: 2 64 131703 0 17 5\n"
    "Icmp: InMsgs InErrors\n"
    "Icmp: 1 2\n";
const std::string kNetstat =
    "TcpExt: SyncookiesSent IPReversePathFilter TCPTimeWaitOverflow\n"
    "TcpExt: 0 23 4\n"
    "IpExt: InNoRoutes\n"
    "IpExt: 9\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(IpCounters, ByNameAndNotByPlace) {
  EXPECT_EQ(parse_ip_counters(kSnmp, kNetstat), (IpCounters{false, 17, 23}));
  EXPECT_EQ(parse_ip_counters("Other: 1\n" + replaced(kSnmp, "Ip: 2", "Ip: 1"), kNetstat), (IpCounters{true, 17, 23}));
  EXPECT_EQ(parse_ip_counters("Ip: InAddrErrors Forwarding\nIp: 3 1\n", kNetstat), (IpCounters{true, 3, 23}));
}

TEST(IpCounters, WhatIsMissingIsNotGuessed) {
  for (const std::string& snmp :
       {std::string(), std::string("Ip: Forwarding InAddrErrors"), std::string("Ip: Forwarding InAddrErrors\nIp: 1\n"),
        replaced(kSnmp, "InAddrErrors", "InOtherErrors"), replaced(kSnmp, " 17 ", " x17 "),
        replaced(kSnmp, "Ip: 2", "Tcp: 2")}) {
    EXPECT_FALSE(parse_ip_counters(snmp, kNetstat)) << snmp;
  }
  EXPECT_FALSE(parse_ip_counters(kSnmp, ""));
  EXPECT_FALSE(parse_ip_counters(kSnmp, replaced(kNetstat, " 23 ", " -23 ")));
}

TEST(IpCounters, EveryCutIsHarmless) {
  for (std::size_t length = 0; length < kSnmp.size(); ++length) {
    const auto counters = parse_ip_counters(kSnmp.substr(0, length), kNetstat).value_or(IpCounters{});
    EXPECT_LE(counters.refused, 17U) << length;
  }
}

}  // namespace
}  // namespace tunnelwatch::host
