#include "probes/active/path_mtu.h"

#include "tests/probes/active/path_model.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using Outcome = PathMtuOutcome;
using Packet = PathModel::Packet;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

struct PathMtuTest : testing::Test {
  PathMtuTest() {
    model.routers = {ip("192.0.2.1"), ip("10.0.1.2")};
    model.peer = params.target = ip("198.51.100.20");
    params.source = ip("192.0.2.10");
  }
  PathMtuResult run() {
    PathMtu mtu(1, params, now);
    struct Pending {
      TimePoint at;
      PathModel::Answer answer;
    };
    std::vector<Pending> pending;
    while (!mtu.done()) {
      const auto first =
          std::min_element(pending.begin(), pending.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
      if (first != pending.end() && first->at <= *mtu.next_deadline()) {
        now = std::max(now, first->at);
        const auto answer = first->answer;
        pending.erase(first);
        EXPECT_TRUE(mtu.on_icmp(answer.bytes, answer.from, now));
        continue;
      }
      now = std::max(now, *mtu.next_deadline());
      std::vector<TracePacket> out;
      mtu.advance(now, out);
      for (const TracePacket& p : out) {
        mtu.on_sent(p.probe, now);
        ++sent;
        if (lost && lost(sent)) continue;
        if (p.bytes.size() > link) {
          mtu.on_send_error(p.probe, RefusalReason::message_too_long);
        } else if (const auto answer = model.answer(p.bytes)) {
          pending.push_back({now + rtt, *answer});
        }
      }
      if (sent > PathMtu::kMostPackets) throw std::runtime_error("the search does not end");
    }
    return mtu.result();
  }

  PathMtuParams params;
  PathModel model;
  Duration rtt = 20ms;
  std::size_t link = 65535;
  std::function<bool(std::size_t)> lost;
  std::size_t sent = 0;
  TimePoint now{1h};
};

PathModel::Rule above(std::size_t size) {
  return [size](const Packet& p) { return p.bytes.size() > size; };
}

TEST_F(PathMtuTest, AWholePathTakesOnePair) {
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::whole);
  EXPECT_EQ(r.mtu, 1500);
  EXPECT_EQ(sent, 2U);
}

TEST_F(PathMtuTest, ABlackHoleIsMeasuredToTheByte) {
  for (const std::size_t limit : {576U, 577U, 1000U, 1399U, 1400U, 1499U}) {
    SCOPED_TRACE(limit);
    model.drops = {{1, above(limit)}};
    sent = 0;
    const TimePoint begun = now;
    const auto r = run();
    EXPECT_EQ(r.outcome, Outcome::black_hole);
    EXPECT_EQ(r.mtu, limit);
    EXPECT_EQ(r.smallest_silent, limit + 1);
    EXPECT_FALSE(r.announced_by);
    EXPECT_LT(now - begun, 4s);
  }
}

TEST_F(PathMtuTest, AnAnnouncedMtuIsBelievedAndTried) {
  model.mtus = {{2, std::uint16_t{1400}}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::announced);
  EXPECT_EQ(r.mtu, 1400);
  EXPECT_EQ(r.announced, 1400);
  EXPECT_EQ(r.announced_by, model.routers[1]);
  EXPECT_EQ(r.smallest_silent, 0);
}

TEST_F(PathMtuTest, TheSmallestOfSeveralAnnouncementsHolds) {
  model.mtus = {{1, std::uint16_t{1450}}, {2, std::uint16_t{1380}}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::announced);
  EXPECT_EQ(r.mtu, 1380);
  EXPECT_EQ(r.announced_by, model.routers[1]);
}

TEST_F(PathMtuTest, ABlackHoleBehindAnAnnouncementIsOne) {
  model.mtus = {{1, std::uint16_t{1450}}};
  model.drops = {{2, above(1300)}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::black_hole);
  EXPECT_EQ(r.mtu, 1300);
  EXPECT_EQ(r.announced, 1450);
}

TEST_F(PathMtuTest, AnAnnouncementWithoutANumberIsSearchedFor) {
  model.rejects = {{1, {above(1200), std::uint8_t{4}}}};  // MTU 0
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::announced);
  EXPECT_EQ(r.mtu, 1200);
  EXPECT_EQ(r.announced, 0);
  EXPECT_EQ(r.announced_by, model.routers[0]);
}

TEST_F(PathMtuTest, ImplausibleAnnouncementsAreNotBelieved) {
  for (const unsigned announced : {1U, 68U, 84U, 1500U, 1501U, 9000U}) {
    SCOPED_TRACE(announced);
    PathMtu mtu(1, params, now);
    std::vector<TracePacket> out;
    mtu.advance(now, out);
    const Packet p{.ip = {}, .bytes = out[0].bytes};
    EXPECT_TRUE(mtu.on_icmp(model.error(p, model.routers[0], 3, 4, announced).bytes, model.routers[0], now));
    EXPECT_EQ(mtu.result().implausible, 1U);
    EXPECT_FALSE(mtu.result().announced_by);
  }
}

TEST_F(PathMtuTest, NothingBelowWhatHasPassedIsBelieved) {
  PathMtu mtu(1, params, now);
  std::vector<TracePacket> out;
  model.drops = {{1, above(1200)}};
  while (mtu.result().mtu == 0) {
    now = std::max(now, *mtu.next_deadline());
    out.clear();
    mtu.advance(now, out);
    for (const auto& p : out) {
      if (const auto a = model.answer(p.bytes)) mtu.on_icmp(a->bytes, a->from, now);
    }
  }
  out.clear();
  mtu.advance(now, out);
  ASSERT_FALSE(out.empty());
  const auto less = static_cast<std::uint32_t>(mtu.result().mtu - 1);
  mtu.on_icmp(model.error({.ip = {}, .bytes = out[0].bytes}, model.routers[0], 3, 4, less).bytes, model.routers[0],
              now);
  EXPECT_EQ(mtu.result().implausible, 1U);
}

TEST_F(PathMtuTest, LossIsNotTakenForABlackHole) {
  lost = [](std::size_t n) { return n % 3 == 1; };  // of each size, some
  auto r = run();
  EXPECT_EQ(r.outcome, Outcome::whole);
  lost = [](std::size_t n) { return n <= 6; };  // everything for a while
  sent = 0;
  r = run();
  EXPECT_EQ(r.outcome, Outcome::whole);
}

TEST_F(PathMtuTest, ASilentTargetIsUnknown) {
  model.peer_ignores = [](const Packet&) { return true; };
  const TimePoint begun = now;
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::unknown);
  EXPECT_EQ(r.mtu, 0);
  EXPECT_EQ(sent, 2U * params.repeats * PathMtu::kLostRounds);
  EXPECT_LT(now - begun, 5s);
}

TEST_F(PathMtuTest, ASlowPathIsWaitedFor) {
  rtt = 700ms;
  model.drops = {{1, above(1400)}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::black_hole);
  EXPECT_EQ(r.mtu, 1400);
}

TEST_F(PathMtuTest, TheOwnLinksLimitIsNoLimitOfThePath) {
  link = 1420;
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::whole);
  EXPECT_EQ(r.mtu, 1420);
}

TEST_F(PathMtuTest, BelowTheFloorNothingIsTried) {
  model.drops = {{1, above(300)}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::black_hole);
  EXPECT_EQ(r.mtu, 0);
  EXPECT_EQ(r.smallest_silent, PathMtu::kFloor4);
}

TEST_F(PathMtuTest, Ipv6SaysPacketTooBig) {
  model.routers = {ip("2001:db8:a::1")};
  model.peer = params.target = ip("2001:db8:b::20");
  params.source = ip("2001:db8:a::10");
  model.mtus = {{1, std::uint16_t{1280}}};
  const auto r = run();
  EXPECT_EQ(r.outcome, Outcome::announced);
  EXPECT_EQ(r.mtu, 1280);
}

}  // namespace
}  // namespace tunnelwatch::active
