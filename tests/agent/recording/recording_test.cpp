#include "agent/recording/recording.h"

#include "agent/diagnosis/catalogue.h"
#include "probes/wire/pcap.h"

#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;

// 2026-01-02 03:04:05 UTC.
const WallTime kWall{1767323045s + 678ms};

TEST(RecordingName, TellsTunnelTimeAndCause) {
  EXPECT_EQ(recording_name("cloud-a", kWall, "dpd_timeout"), "cloud-a-20260102T030405Z-dpd_timeout.pcap");
  EXPECT_EQ(recording_name("2001:db8::1", kWall, "x"), "2001_db8__1-20260102T030405Z-x.pcap");
  EXPECT_EQ(recording_name("../../etc/x", kWall, "x"), "_.._.._etc_x-20260102T030405Z-x.pcap");
  EXPECT_EQ(recording_name("a b\n/\xe9", kWall, "x"), "a_b___-20260102T030405Z-x.pcap");
  EXPECT_EQ(recording_name("", kWall, "x"), "_-20260102T030405Z-x.pcap");
  EXPECT_EQ(recording_name(std::string(300, 'a'), kWall, "x"), std::string(100, 'a') + "-20260102T030405Z-x.pcap");
  EXPECT_EQ(recording_name("a", WallTime{-5s}, "x"), "a-19700101T000000Z-x.pcap");
  EXPECT_EQ(recording_name("a", WallTime::max(), "x").size(), std::string("a-00000000T000000Z-x.pcap").size());
}

TEST(RecordingName, EveryCauseOfTheCatalogueGivesANameOfOurs) {
  for (const auto& row : diagnosis::catalogue()) {
    const auto name = recording_name("t", kWall, to_string(row.cause));
    EXPECT_EQ(time_of_recording(name), "20260102T030405Z") << name;
    EXPECT_LE(name.size() + 100, 255U);
  }
}

TEST(RecordingName, OthersAreNoneOfOurs) {
  for (const char* name : {"", ".pcap", "a.pcap", "-20260102T030405Z-x.pcap", "a-20260102T030405Z-x.pcapng",
                           "a-20260102T030405Z-x", "a-20260102T030405Z-.pcap", "a-20260102T030405Z-X.pcap",
                           "a-2026010T0030405Z-x.pcap", "a-20260102T030405-x.pcap", "a_20260102T030405Z-x.pcap",
                           ".a-20260102T030405Z-x.pcap", "a-20260102T030405Z-x.pcap~", "a b-20260102T030405Z-x.pcap",
                           "a/b-20260102T030405Z-x.pcap", "20260102T030405Z-x.pcap", "capture-20260102.pcap"}) {
    EXPECT_EQ(time_of_recording(name), "") << name;
  }
  EXPECT_EQ(time_of_recording("a-b-20260102T030405Z-20270102T030405Z-x.pcap"), "20270102T030405Z");
}

TEST(RecordingBytes, HaveWallTimes) {
  const auto clock = WallClock::of_capture_file();
  PacketRing::Packet p{clock.from(kWall), {{1, 2, 3}, 900}, false};
  std::vector<std::uint8_t> expected;
  wire::put_pcap_header(expected);
  EXPECT_EQ(recording_bytes({}, clock), expected);
  wire::put_pcap_record(expected, kWall, p.packet.bytes, 900);
  EXPECT_EQ(recording_bytes({&p}, clock), expected);
}

TEST(RecordingRate, AFewAtOnceThenOneEachInterval) {
  RecordingRate rate(60s);
  TimePoint now{1h};
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += rate.take("a", now) ? 1 : 0;
  EXPECT_EQ(taken, RecordingRate::kAtOnce);
  EXPECT_TRUE(rate.take("b", now)) << "another tunnel has its own";
  now += 59s;
  EXPECT_FALSE(rate.take("a", now));
  now += 1s;
  EXPECT_TRUE(rate.take("a", now));
  EXPECT_FALSE(rate.take("a", now));
  now += 1h;
  taken = 0;
  for (int i = 0; i < 10; ++i) taken += rate.take("a", now) ? 1 : 0;
  EXPECT_EQ(taken, RecordingRate::kAtOnce) << "what was not used does not add up";
}

TEST(RecordingRate, InAllToo) {
  RecordingRate rate(60s);
  const TimePoint now{1h};
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += rate.take(std::to_string(i), now) ? 1 : 0;
  EXPECT_EQ(taken, RecordingRate::kAtOnceInAll);
  EXPECT_FALSE(rate.take("x", now + 999ms));
  EXPECT_TRUE(rate.take("x", now + 1s));
  EXPECT_FALSE(rate.take("y", now + 1s));
}

TEST(RecordingRate, WhatIsRefusedUsesNothingUp) {
  RecordingRate rate(60s);
  TimePoint now{1h};
  for (int i = 0; i < 100; ++i) rate.take("a", now);
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += rate.take(std::to_string(i), now) ? 1 : 0;
  EXPECT_EQ(taken, RecordingRate::kAtOnceInAll - RecordingRate::kAtOnce);
}

}  // namespace
}  // namespace tunnelwatch::agent
