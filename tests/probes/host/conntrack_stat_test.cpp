#include "probes/host/conntrack_stat.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

// As Linux 6 writes it.
const std::string kHead =
    "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  "
    "expect_new expect_create expect_delete search_restart\n";
const std::string kRest = " 00000007 00000008 00000009  0000000a 0000000b 0000000c 0000000d\n";

std::string line(const std::string& drops) {
  return "00000029  00000001 00000002 00000000 00000003 00000000 00000000 00000004 00000005 00000006 " + drops + kRest;
}

TEST(ConntrackStat, DropsOfAllProcessors) {
  EXPECT_EQ(parse_conntrack_drops(kHead + line("0000001f")), 31U);
  EXPECT_EQ(parse_conntrack_drops(kHead + line("0000001f") + line("00000001")), 32U);
  EXPECT_EQ(parse_conntrack_drops("drop found\n00000002 00000001\n"), 2U) << "by its name";
}

TEST(ConntrackStat, WhatDoesNotTellIsNothing) {
  for (const std::string& text : {std::string(), kHead, std::string("entries found new\n1 2 3\n"),
                                  kHead + line("0000xy1f"), kHead + "00000029 00000001\n"}) {
    EXPECT_FALSE(parse_conntrack_drops(text)) << text;
  }
}

TEST(ConntrackStat, ALineThatWasCutIsLeftOut) {
  const std::string whole = kHead + line("0000001f") + line("00000011");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto drops = parse_conntrack_drops(whole.substr(0, length));
    EXPECT_TRUE(!drops || drops == 31U) << length;
  }
}

}  // namespace
}  // namespace tunnelwatch::host
