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

// The round trip of a reply that came 3 ms before it was read, 20 ms after its request had left, while the wall clock
// was set in between: before the reply came, or between the kernel's stamp and the reading.
TEST(StampClock, AStepOfTheWallClockMakesNoWrongRoundTrip) {
  const Duration wall_before = 100000s;
  const TimePoint sent{50s};
  const TimePoint came = sent + 20ms;
  const TimePoint read = came + 3ms;
  for (const Duration step :
       {Duration{1h}, Duration{-1h}, Duration{5s}, Duration{-5s}, Duration{400ms}, Duration{-400ms}}) {
    SCOPED_TRACE(step.count());
    const auto wall_at = [&](TimePoint t, bool stepped) {
      return wall_before + (t - TimePoint{50s}) + (stepped ? step : Duration::zero());
    };
    for (const bool stamped_after : {false, true}) {
      SCOPED_TRACE(stamped_after ? "set before the stamp" : "set after the stamp");
      StampClock clock;
      clock.after(StampMapper(sent, wall_at(sent, false)));
      const StampMapper now = clock.after(StampMapper(read, wall_at(read, true)));
      EXPECT_EQ(now.map(wall(wall_at(came, stamped_after))) - sent, 20ms);
      // From the next reading on all is as before.
      const StampMapper later = clock.after(StampMapper(read + 1s, wall_at(read + 1s, true)));
      EXPECT_EQ(later.map(wall(wall_at(read + 990ms, true))), read + 990ms);
    }
  }
}

TEST(StampClock, WhereBothReadingsWouldDoTheReadingsTimeIsTaken) {
  StampClock clock;
  clock.after(StampMapper(TimePoint{50s}, 1000s));
  const StampMapper now = clock.after(StampMapper(TimePoint{51s}, 1001s + 10ms));
  EXPECT_EQ(now.map(wall(1000s + 500ms)), TimePoint{51s});
}

TEST(StampClock, ASlewedClockIsNoStep) {
  StampClock clock;
  clock.after(StampMapper(TimePoint{0s}, 1000s));
  const StampMapper now = clock.after(StampMapper(TimePoint{3600s}, 4600s + 1800ms));
  EXPECT_EQ(now.map(wall(4600s + 1797ms)), TimePoint{3600s - 3ms});
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
