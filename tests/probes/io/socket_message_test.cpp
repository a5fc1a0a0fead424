#include "probes/io/socket_message.h"

#include <netinet/in.h>

#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;

timespec wall(Duration d) { return {static_cast<time_t>(d / 1s), static_cast<long>((d % 1s).count())}; }

TEST(StampMapper, AStampIsAnAge) {
  struct Row {
    const char* name;
    Duration stamp;   // on the wall clock; now is 1000 s there
    Duration mapped;  // on the monotonic clock; now is 50 s there
  };
  for (const Row& row : {Row{"just now", 1000s, 50s}, Row{"3 ms ago", 1000s - 3ms, 50s - 3ms},
                         Row{"9 s ago", 991s, 41s}, Row{"the clock was set back meanwhile", 1001s, 50s},
                         Row{"the clock was set forward by a day", 1000s - 24h, 50s}}) {
    EXPECT_EQ(StampMapper(TimePoint{50s}, 1000s).map(wall(row.stamp)), TimePoint{row.mapped}) << row.name;
  }
}

TEST(SocketAddress, RoundTrips) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::ffff:192.0.2.1"}) {
    const IpAddress address = *IpAddress::parse(text);
    const sockaddr_storage s = to_sockaddr(address, 4500);
    EXPECT_EQ(from_sockaddr(s), address) << text;
    EXPECT_EQ(port_of(s), 4500);
  }
  EXPECT_EQ(from_sockaddr(sockaddr_storage{}), std::nullopt);
}

TEST(Control, WhatWasAddedIsFoundAndNothingElse) {
  ControlBuffer buffer{};
  msghdr message{};
  message.msg_control = buffer.bytes;
  const int ttl = 7;
  add_control(message, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
  add_source(message, *IpAddress::parse("192.0.2.1"));
  EXPECT_NE(find_control(message, IPPROTO_IP, IP_PKTINFO, sizeof(in_pktinfo)), nullptr);
  EXPECT_EQ(find_control(message, IPPROTO_IP, IP_TOS, sizeof(int)), nullptr);
  EXPECT_EQ(find_control(message, IPPROTO_IP, IP_TTL, sizeof(in_pktinfo)), nullptr) << "shorter than asked for";
  ASSERT_NE(find_control(message, IPPROTO_IP, IP_TTL, sizeof(int)), nullptr);
}

}  // namespace
}  // namespace tunnelwatch::io
