#include "agent/path_watch.h"
#include "probes/clock.h"
#include "tests/probes/io/net_namespace.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

// When the way to a peer is looked at, and what becomes of it. In a network namespace of its own, whose loopback is the
// whole way.
namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using diagnosis::EspWitness;

struct PathWatchTest : testing::Test {
  PathWatchTest() {
    io::NetNamespace::run("ip link set lo mtu 1400 && sysctl -qw net.ipv4.icmp_ratelimit=0");
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote = {"127.0.0.1", IpAddress::parse("127.0.0.1")};
    watch.configure({tunnel});
  }
  Tunnel& tunnel() { return *watch.tunnels().front(); }
  template <typename Done>
  bool run_until(Done&& done, Duration most = 10s) {
    for (const auto began = steady_now(); steady_now() - began < most;) {
      paths.tick(steady_now());
      io.run_for(20ms);
      io.restart();
      if (done()) return true;
    }
    return false;
  }
  std::optional<exporters::PathMtuReport> mtu() const {
    exporters::Report report;
    report.tunnels = watch.report(WallClock::of_this_machine());
    paths.report(report);
    return report.tunnels.front().path_mtu;
  }
  std::optional<TimePoint> traced() {
    tunnel().esp_reach().update(steady_now());
    for (const auto& t : tunnel().esp_reach().testimony()) {
      if (t.witness == EspWitness::trace) return t.at;
    }
    return std::nullopt;
  }
  void echo(EspProbeOutcome outcome) {
    tunnel().on_esp_probe({.outcome = outcome, .at = steady_now(), .from = *tunnel().remote()});
  }

  io::NetNamespace net;
  boost::asio::io_context io;
  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  PathWatch paths{io, watch, 1};
};

TEST_F(PathWatchTest, TheMtuIsMeasuredAndNothingIsTracedWithoutSuspicion) {
  paths.sync({.enabled = true, .interval = 100ms}, steady_now());
  EXPECT_FALSE(mtu());
  ASSERT_TRUE(run_until([&] { return mtu().has_value(); }));
  EXPECT_EQ(mtu()->mtu, 1400U);
  EXPECT_FALSE(mtu()->black_hole);
  EXPECT_FALSE(traced());
}

TEST_F(PathWatchTest, NothingIsMeasuredWhereTheConfigurationSaysSo) {
  paths.sync({.enabled = false, .interval = 10ms}, steady_now());
  echo(EspProbeOutcome::answered);
  echo(EspProbeOutcome::silent);
  echo(EspProbeOutcome::silent);
  EXPECT_FALSE(run_until([&] { return mtu() || traced(); }, 1s));
}

TEST_F(PathWatchTest, APeerThatAnswersEspNoMoreIsTracedOnceInAWhile) {
  paths.sync({.enabled = true, .interval = 1h}, steady_now());
  echo(EspProbeOutcome::answered);
  EXPECT_FALSE(run_until([&] { return traced(); }, 700ms)) << "a peer that answers";
  echo(EspProbeOutcome::silent);
  EXPECT_FALSE(run_until([&] { return traced(); }, 700ms)) << "one that is missed is chance";
  echo(EspProbeOutcome::silent);
  ASSERT_TRUE(run_until([&] { return traced(); }));
  const auto first = traced();
  EXPECT_FALSE(run_until([&] { return traced() != first; }, 1500ms));
}

TEST_F(PathWatchTest, APeerThatNeverAnsweredIsNotTraced) {
  paths.sync({.enabled = true, .interval = 1h}, steady_now());
  for (int i = 0; i < 5; ++i) echo(EspProbeOutcome::silent);
  EXPECT_FALSE(run_until([&] { return traced(); }, 1s));
}

}  // namespace
}  // namespace tunnelwatch::agent
