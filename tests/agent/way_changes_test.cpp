#include "agent/way_changes.h"

#include "agent/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using host::KernelHop;
using host::KernelRoute;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

KernelRoute by(const char* gateway, std::uint32_t link) {
  return {*IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{IpAddress::parse(gateway), link}}};
}

class WayChangesTest : public testing::Test {
 protected:
  WayChangesTest() {
    view.links = {{3, {"wan", true, true}}, {4, {"wan2", true, true}}};
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote.address = IpAddress::parse("198.51.100.20");
    watch.configure({tunnel});
  }
  void note(const KernelRoute& way) { changes.note("cloud", way, view, now += 1s); }
  exporters::TunnelReport told() {
    exporters::Report report;
    report.tunnels.emplace_back();
    report.tunnels.back().name = "cloud";
    report.tunnels.back().events = {{clock.at(TimePoint{} + 1500ms), "ike_sa_established", "local", ""}};
    changes.report(report, clock);
    return report.tunnels.back();
  }

  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  WallClock clock = WallClock::of_capture_file();
  host::KernelView view;
  WayChanges changes;
  TimePoint now{};
};

TEST_F(WayChangesTest, TheFirstWayIsNoChangeNorIsTheSame) {
  note(by("192.0.2.1", 3));
  note(by("192.0.2.1", 3));
  EXPECT_EQ(told().events.size(), 1U);
  EXPECT_THAT(told().event_counts, IsEmpty());
}

TEST_F(WayChangesTest, EachChangeIsAnEventInItsPlace) {
  note(by("192.0.2.1", 3));
  note(by("192.0.3.1", 4));
  note({*IpPrefix::parse("0.0.0.0/0"), false, {}});
  note({*IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{std::nullopt, 3}}});
  using exporters::EventReport;
  EXPECT_THAT(
      told().events,
      ElementsAre(Field(&EventReport::event, "ike_sa_established"),
                  Field(&EventReport::detail,
                        "packets for the peer leave via 192.0.3.1 dev wan2, and via 192.0.2.1 dev wan before"),
                  Field(&EventReport::detail, "packets for the peer leave nowhere, and via 192.0.3.1 dev wan2 before"),
                  Field(&EventReport::detail, "packets for the peer leave dev wan, and nowhere before")));
  EXPECT_EQ(told().events[1].event, "next_hop_changed");
  EXPECT_EQ(told().events[1].time, clock.at(TimePoint{} + 2s));
  ASSERT_EQ(told().event_counts.size(), 1U);
  EXPECT_EQ(told().event_counts[0].first, "next_hop_changed");
  EXPECT_EQ(told().event_counts[0].second, 3U);
}

TEST_F(WayChangesTest, TheNewestAreKeptAndAllAreCounted) {
  for (std::uint32_t i = 0; i <= 2 * WayChanges::kMaxEvents; ++i) note(by("192.0.2.1", 3 + i % 2));
  EXPECT_EQ(told().events.size(), 1 + WayChanges::kMaxEvents);
  EXPECT_EQ(told().event_counts[0].second, 2 * WayChanges::kMaxEvents);
}

TEST_F(WayChangesTest, ATunnelThatIsConfiguredNoMoreIsForgotten) {
  note(by("192.0.2.1", 3));
  note(by("192.0.3.1", 4));
  changes.keep(watch);
  EXPECT_EQ(told().events.size(), 2U);
  watch.configure({});
  changes.keep(watch);
  EXPECT_EQ(told().events.size(), 1U);
}

}  // namespace
}  // namespace tunnelwatch::agent
