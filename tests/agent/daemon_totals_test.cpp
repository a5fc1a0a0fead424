#include "agent/daemon_totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using host::DaemonCounters;
using host::DaemonCounts;

constexpr std::size_t kChildRekey = 2;

DaemonCounters counted(const char* connection, std::uint64_t first, std::uint64_t rekeys) {
  DaemonCounters c;
  c.connection = connection;
  c.counts[0] = first;
  c.counts[kChildRekey] = rekeys;
  return c;
}

class Totals : public testing::Test {
 protected:
  void says(const std::vector<DaemonCounters>& counters) {
    totals.on_counters(counters);
    totals.add_to_tunnel("cloud", {"tun", "tun-backup"});
  }
  std::uint64_t rekeys() const {
    const DaemonCounts* counts = totals.of_tunnel("cloud");
    return counts == nullptr ? 0 : (*counts)[kChildRekey];
  }
  DaemonTotals totals;
};

TEST_F(Totals, GrowWithTheDaemons) {
  says({counted("", 9, 20), counted("tun", 1, 5), counted("other", 1, 100)});
  EXPECT_EQ(rekeys(), 5U);
  EXPECT_FALSE(totals.news()) << "history";
  says({counted("", 9, 22), counted("tun", 1, 7), counted("tun-backup", 0, 1)});
  EXPECT_EQ(rekeys(), 8U);
  EXPECT_EQ((*totals.of_daemon())[kChildRekey], 22U);
  EXPECT_EQ((*totals.news())[kChildRekey], 2U);
  EXPECT_EQ((*totals.news())[0], 0U);
}

TEST_F(Totals, GoOnBehindARestartAndAReset) {
  says({counted("", 9, 20), counted("tun", 4, 5)});
  says({counted("", 1, 2), counted("tun", 5, 2)});  // another number is higher, and begins anew all the same
  EXPECT_EQ(rekeys(), 7U);
  EXPECT_EQ((*totals.of_tunnel("cloud"))[0], 9U);
  EXPECT_EQ((*totals.of_daemon())[kChildRekey], 22U);
  says({counted("", 1, 2), counted("tun", 5, 2)});
  EXPECT_EQ(rekeys(), 7U);
}

TEST_F(Totals, AreNotKnownWhileTheDaemonDoesNotCountAndGoOnThen) {
  says({});
  EXPECT_EQ(totals.of_daemon(), nullptr);
  EXPECT_EQ(totals.of_tunnel("cloud"), nullptr);
  says({counted("", 9, 20), counted("tun", 4, 5)});
  says({});
  EXPECT_EQ(totals.of_tunnel("cloud"), nullptr);
  says({counted("", 9, 21), counted("tun", 4, 6)});
  EXPECT_EQ(rekeys(), 6U);
}

TEST_F(Totals, OfATunnelThatWentAreGone) {
  says({counted("", 9, 20), counted("tun", 4, 5)});
  totals.keep_tunnels([](const std::string&) { return false; });
  EXPECT_EQ(totals.of_tunnel("cloud"), nullptr);
}

}  // namespace
}  // namespace tunnelwatch::agent
