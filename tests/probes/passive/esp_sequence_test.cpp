#include "probes/passive/esp_sequence.h"

#include "probes/passive/esp_streams.h"
#include "tests/probes/wire/frame_builder.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart{seconds(1000)};

// One stream at 1000 packets/s, settled once a second as the front does.
struct Stream {
  EspSequence sequence;
  TimePoint now = kStart;
  unsigned fed = 0;
  bool started = false;

  void feed(std::uint32_t n) {
    now += milliseconds(1);
    if (started) {
      sequence.on_packet(n, now);
    } else {
      sequence.start(n, now);
    }
    started = true;
    if (++fed % 1000 == 0) sequence.settle();
  }
  void feed(std::uint32_t from, std::uint32_t to) {  // both included, across a wrap too
    for (std::uint32_t n = from;; ++n) {
      feed(n);
      if (n == to) return;
    }
  }
  void silence(Duration d) {
    now += d;
    for (Duration passed{}; passed < d; passed += seconds(1)) sequence.settle();
  }
};

#define EXPECT_COUNTS(s, lost_, reordered_, duplicates_, out_of_window_, jumps_) \
  EXPECT_EQ((s).sequence.lost(), lost_##U);                                      \
  EXPECT_EQ((s).sequence.reordered(), reordered_##U);                            \
  EXPECT_EQ((s).sequence.duplicates(), duplicates_##U);                          \
  EXPECT_EQ((s).sequence.out_of_window(), out_of_window_##U);                    \
  EXPECT_EQ((s).sequence.jumps(), jumps_##U)

TEST(EspSequence, InOrderIsNoLoss) {
  Stream s;
  s.feed(1, 10'000);
  s.sequence.settle_all();
  EXPECT_COUNTS(s, 0, 0, 0, 0, 0);
  EXPECT_EQ(s.sequence.highest(), 10'000U);
  EXPECT_TRUE(s.sequence.live());
}

TEST(EspSequence, LossIsExact) {
  Stream s;
  std::uint64_t expected = 0;
  std::mt19937 random(5);
  for (std::uint32_t n = 1; n <= 50'000; ++n) {
    if (n > 1 && n < 50'000 && random() % 20 == 0) {
      ++expected;
    } else {
      s.feed(n);
    }
  }
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), expected);
  EXPECT_GT(expected, 2000U);
}

TEST(EspSequence, LossBeforeTheEndIsToldWithinTwoSeconds) {
  Stream s;
  s.feed(1, 100);
  s.feed(111, 200);
  s.silence(seconds(3));
  EXPECT_EQ(s.sequence.lost(), 10U);
}

TEST(EspSequence, ReorderingWithinTheWindowIsNoLoss) {
  Stream s;
  std::vector<std::uint32_t> numbers(5000);
  std::iota(numbers.begin(), numbers.end(), 1U);
  std::mt19937 random(11);
  for (std::size_t i = 0; i + 100 < numbers.size(); i += 100) {
    std::shuffle(numbers.begin() + static_cast<std::ptrdiff_t>(i),
                 numbers.begin() + static_cast<std::ptrdiff_t>(i + 100), random);
  }
  for (const std::uint32_t n : numbers) s.feed(n);
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), 0U);
  EXPECT_GT(s.sequence.reordered(), 4000U);
  EXPECT_EQ(s.sequence.duplicates(), 0U);
}

TEST(EspSequence, DuplicatesOfATap) {
  Stream s;
  for (std::uint32_t n = 1; n <= 3000; ++n) {
    s.feed(n);
    s.feed(n);
  }
  s.sequence.settle_all();
  EXPECT_COUNTS(s, 0, 0, 3000, 0, 0);
}

TEST(EspSequence, AStreamThatStartsLateIsNoLoss) {
  Stream s;
  s.feed(3'000'000'000U, 3'000'002'000U);
  s.sequence.settle_all();
  EXPECT_COUNTS(s, 0, 0, 0, 0, 0);
}

TEST(EspSequence, TheLowHalfOfAnExtendedNumberWraps) {
  Stream s;
  s.feed(0xfffff000U, 0x2000U);
  s.feed(0x2006U, 0x2800U);  // five lost behind the wrap
  s.sequence.settle_all();
  EXPECT_COUNTS(s, 5, 0, 0, 0, 0);
  EXPECT_EQ(s.sequence.highest(), 0x1'0000'2800U);
}

TEST(EspSequence, LossAcrossTheWrap) {
  Stream s;
  s.feed(0xffffff00U, 0xfffffff0U);
  s.feed(0x10U, 0x900U);
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), 0x1fU);
}

TEST(EspSequence, AForgedPacketFarAheadMovesNothing) {
  for (const std::uint32_t ahead : {2000U, 20'000U, 0x7fff0000U, 0x80000000U, 0xf0000000U}) {
    SCOPED_TRACE(ahead);
    Stream s;
    for (std::uint32_t n = 1; n <= 5000; ++n) {
      s.feed(n);
      if (n % 50 == 0) s.feed(n + ahead);
    }
    s.sequence.settle_all();
    EXPECT_COUNTS(s, 0, 0, 0, 99, 0);  // the hundredth is still a candidate
    EXPECT_EQ(s.sequence.highest(), 5000U);
  }
}

TEST(EspSequence, AForgedPacketWithinTheWindowIsNoLossOnceTheStreamCatchesUp) {
  Stream s;
  s.feed(1, 2000);
  s.feed(2900);
  s.feed(2001, 6000);
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), 0U);
  EXPECT_EQ(s.sequence.duplicates(), 1U);
}

TEST(EspSequence, ASlowStreamIsNotHurtByALonePacketAhead) {
  Stream s;
  s.feed(1, 20);
  s.feed(900);
  s.silence(seconds(5));
  EXPECT_EQ(s.sequence.lost(), 0U);
  s.feed(21, 950);
  s.silence(seconds(5));
  EXPECT_EQ(s.sequence.lost(), 0U);
}

TEST(EspSequence, ForgedRunsFlipTheStreamButAreNeverLoss) {
  Stream s;
  for (std::uint32_t n = 1; n <= 20'000; ++n) {
    s.feed(n);
    if (n % 997 == 0) s.feed(n + 9000, n + 9005);
  }
  s.silence(seconds(5));
  s.sequence.settle_all();
  // Near each step back a few genuine packets serve to confirm it.
  EXPECT_EQ(s.sequence.lost(), 0U);
  EXPECT_GT(s.sequence.jumps(), 20U);
}

TEST(EspSequence, AnOutageIsLossOnceItIsConfirmed) {
  Stream s;
  s.feed(1, 5000);
  s.silence(seconds(60));
  s.feed(65'001, 66'000);
  s.silence(seconds(3));
  EXPECT_EQ(s.sequence.lost(), 60'000U);
  EXPECT_EQ(s.sequence.jumps(), 1U);
  EXPECT_EQ(s.sequence.out_of_window(), 0U);
}

TEST(EspSequence, AGapThatNoRateExplainsIsNoLoss) {
  Stream s;
  s.feed(1, 5000);
  s.feed(2'000'000'000U, 2'000'001'000U);
  s.silence(seconds(3));
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), 0U);
  EXPECT_EQ(s.sequence.jumps(), 1U);
}

TEST(EspSequence, ARestartIsNoLoss) {
  for (const std::uint32_t before : {500U, 5000U, 3'000'000'000U}) {
    SCOPED_TRACE(before);
    Stream s;
    s.feed(before - 400, before);
    s.feed(1, 3000);
    s.silence(seconds(3));
    s.sequence.settle_all();
    EXPECT_EQ(s.sequence.lost(), 0U);
    EXPECT_EQ(s.sequence.jumps(), 1U);
    EXPECT_EQ(static_cast<std::uint32_t>(s.sequence.highest()), 3000U);
  }
}

TEST(EspSequence, AReplayOfOldPacketsIsNoLossWhenTheStreamGoesOn) {
  Stream s;
  s.feed(1, 20'000);
  s.feed(12'000, 12'005);
  s.feed(20'001, 25'000);
  s.silence(seconds(5));
  s.sequence.settle_all();
  EXPECT_EQ(s.sequence.lost(), 0U);
  EXPECT_EQ(s.sequence.jumps(), 2U);
}

TEST(EspSequence, LossGoesOnBeingCountedAfterARestart) {
  Stream s;
  s.feed(1, 50'000);
  s.feed(1, 100);
  s.feed(111, 8000);
  s.silence(seconds(3));
  EXPECT_EQ(s.sequence.lost(), 10U);
}

TEST(EspSequence, WhatTheCaptureMissedIsNoLoss) {
  for (const std::uint32_t missed : {1U, 100U, 1023U, 1024U, 1025U, 5'000'000U}) {
    SCOPED_TRACE(missed);
    Stream s;
    s.feed(1, 3000);
    s.sequence.on_packet_after_gap(3001 + missed, s.now);
    s.feed(3002 + missed, 6000 + missed);
    s.silence(seconds(3));
    s.sequence.settle_all();
    EXPECT_COUNTS(s, 0, 0, 0, 0, 0);
  }
}

// Frames of streams for the table.
struct Esp {
  test::Buffer bytes;
  wire::Datagram datagram;

  Esp(std::uint32_t source, std::uint32_t spi, std::uint32_t sequence) : bytes(test::esp(spi, sequence, 8)) {
    datagram.kind = wire::DatagramKind::esp;
    datagram.ip_protocol = 50;
    datagram.source = IpAddress::v4(source);
    datagram.destination = IpAddress::v4(0xc0000201);
    datagram.wire_length = 1000;
    datagram.payload = bytes;
  }
};

const EspStreamSummary* find(const std::vector<EspStreamSummary>& all, std::uint32_t spi) {
  const auto at = std::find_if(all.begin(), all.end(), [spi](const EspStreamSummary& s) { return s.spi == spi; });
  return at == all.end() ? nullptr : &*at;
}

TEST(EspStreams, SummariesOfWhatChanged) {
  EspStreams streams;
  EXPECT_TRUE(streams.on_packet(Esp(1, 0x1000, 5).datagram, kStart));
  EXPECT_EQ(streams.newest().spi, 0x1000U);
  EXPECT_FALSE(streams.on_packet(Esp(1, 0x1000, 6).datagram, kStart + seconds(1)));
  EXPECT_TRUE(streams.on_packet(Esp(2, 0x1000, 6).datagram, kStart));
  EXPECT_TRUE(streams.on_packet(Esp(1, 0x1001, 6).datagram, kStart));
  std::vector<EspStreamSummary> out;
  streams.collect(out);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0].source, IpAddress::v4(1));
  EXPECT_EQ(out[0].packets, 2U);
  EXPECT_EQ(out[0].bytes, 2000U);
  EXPECT_EQ(out[0].first, kStart);
  EXPECT_EQ(out[0].last, kStart + seconds(1));
  EXPECT_FALSE(out[0].live);
  for (int settled = 0; settled < 3; ++settled) {
    out.clear();
    streams.collect(out);
  }
  EXPECT_TRUE(out.empty());
}

// What a machine forwards is captured coming in and going out; what it sends again is a duplicate.
TEST(EspStreams, APacketSeenInAndOutIsOne) {
  for (const auto again : {wire::LinkDirection::out, wire::LinkDirection::in}) {
    EspStreams streams;
    for (std::uint32_t i = 1; i <= 5; ++i) {
      Esp packet(1, 0x1000, i);
      packet.datagram.link_direction = wire::LinkDirection::in;
      streams.on_packet(packet.datagram, kStart + milliseconds(100 * i));
      packet.datagram.link_direction = again;
      streams.on_packet(packet.datagram, kStart + milliseconds(100 * i + 1));
    }
    std::vector<EspStreamSummary> out;
    streams.collect_final(out);
    ASSERT_EQ(out.size(), 1U);
    const bool forwarded = again == wire::LinkDirection::out;
    EXPECT_EQ(out[0].packets, forwarded ? 5U : 10U);
    EXPECT_EQ(out[0].duplicates, forwarded ? 0U : 5U);
  }
}

TEST(EspStreams, AStreamThatChangesItsDirectionIsFollowed) {
  EspStreams streams;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    Esp packet(1, 0x1000, i);
    packet.datagram.link_direction = i < 4 ? wire::LinkDirection::in : wire::LinkDirection::out;
    streams.on_packet(packet.datagram, kStart + seconds(2 * i));
  }
  EXPECT_EQ(streams.newest().packets, 6U);
}

TEST(EspStreams, ReservedSpisAreNoStreams) {
  EspStreams streams;
  for (const std::uint32_t spi : {0U, 7U, 255U}) EXPECT_FALSE(streams.on_packet(Esp(1, spi, 1).datagram, kStart));
  EXPECT_TRUE(streams.on_packet(Esp(1, 256, 1).datagram, kStart));
  EXPECT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams.counters().reserved_spi, 3U);
}

TEST(EspStreams, AMillionForgedSpisPushOutNoLiveStream) {
  EspStreams streams({.streams = 512}, 0x1234567);
  TimePoint now = kStart;
  std::mt19937 random(3);
  std::uint32_t sequence = 0;
  std::vector<EspStreamSummary> out;
  for (std::uint32_t n = 0; n < 20; ++n) streams.on_packet(Esp(1, 0x1000, ++sequence).datagram, now);
  for (int i = 0; i < 1'000'000; ++i) {
    now += microseconds(10);
    const Esp forged(static_cast<std::uint32_t>(random()), 256 + static_cast<std::uint32_t>(random() % 0xfffffe00), 1);
    streams.on_packet(forged.datagram, now);
    if (i % 1000 == 0) streams.on_packet(Esp(1, 0x1000, sequence += 2).datagram, now);  // every other one is lost
    if (i % 100'000 == 0) {
      out.clear();
      streams.collect(out);
      ASSERT_LE(out.size(), 512U);
    }
  }
  EXPECT_EQ(streams.size(), 512U);
  EXPECT_GT(streams.counters().evicted, 900'000U);
  out.clear();
  streams.collect_final(out);
  const auto* live = find(out, 0x1000);
  ASSERT_NE(live, nullptr);
  EXPECT_EQ(live->packets, 1020U);
  EXPECT_EQ(live->lost, 1000U);
  EXPECT_TRUE(live->live);
}

TEST(EspStreams, FullOfLiveOnesRefusesUntilOneIsIdle) {
  EspStreams streams({.streams = 16, .idle = seconds(120)});
  for (std::uint32_t spi = 0x1000; spi < 0x1010; ++spi) {
    for (std::uint32_t n = 1; n <= 20; ++n) streams.on_packet(Esp(1, spi, n).datagram, kStart);
  }
  EXPECT_FALSE(streams.on_packet(Esp(1, 0x2000, 1).datagram, kStart + seconds(120)));
  EXPECT_EQ(streams.counters().refused, 1U);
  for (std::uint32_t spi = 0x1001; spi < 0x1010; ++spi)
    streams.on_packet(Esp(1, spi, 21).datagram, kStart + seconds(100));
  EXPECT_TRUE(streams.on_packet(Esp(1, 0x2000, 2).datagram, kStart + seconds(121)));
  std::vector<EspStreamSummary> out;
  streams.collect_final(out);
  EXPECT_EQ(find(out, 0x1000), nullptr);
  EXPECT_NE(find(out, 0x100f), nullptr);
  ASSERT_NE(find(out, 0x2000), nullptr);
  EXPECT_EQ(find(out, 0x2000)->packets, 1U);
}

// The table against a map without cleverness: insertions, evictions and look-ups in random order.
TEST(EspStreams, EveryStreamStaysFoundAcrossEvictions) {
  EspStreams streams({.streams = 64}, 99);
  std::mt19937 random(17);
  TimePoint now = kStart;
  for (int i = 0; i < 200'000; ++i) {
    now += milliseconds(1);
    const std::uint32_t spi = 0x1000 + static_cast<std::uint32_t>(random() % 100);
    const bool opened = streams.on_packet(Esp(7, spi, 5).datagram, now);
    ASSERT_FALSE(streams.on_packet(Esp(7, spi, 6).datagram, now)) << "just " << (opened ? "opened" : "seen");
    ASSERT_LE(streams.size(), 64U);
  }
}

TEST(EspStreams, ACaptureGapForgivesEveryStreamOnce) {
  EspStreams streams;
  for (std::uint32_t n = 1; n <= 100; ++n) {
    streams.on_packet(Esp(1, 0x1000, n).datagram, kStart);
    streams.on_packet(Esp(1, 0x2000, n).datagram, kStart);
  }
  streams.on_capture_gap(kStart + seconds(1));
  for (std::uint32_t n = 200; n <= 300; n += 10)
    streams.on_packet(Esp(1, 0x1000, n).datagram, kStart + milliseconds(n));
  for (std::uint32_t n = 300; n <= 400; n += 10) {  // a slow stream, back when the gap is long over
    streams.on_packet(Esp(1, 0x2000, n).datagram, kStart + seconds(10));
  }
  std::vector<EspStreamSummary> out;
  streams.collect_final(out);
  EXPECT_EQ(find(out, 0x1000)->lost, 0U);
  EXPECT_EQ(find(out, 0x2000)->lost, 90U);
}

}  // namespace
}  // namespace tunnelwatch::passive
