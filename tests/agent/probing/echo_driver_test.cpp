#include "agent/probing/echo_driver.h"

#include "probes/clock.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;

// Without sockets: each request ends at once as one that could not be sent, and is counted as that.
struct Echoes {
  EchoDriver driver{1};

  static TargetKey key(const std::string& name) { return {"", TargetRole::target, name}; }
  void want(const std::vector<std::string>& names) {
    driver.begin_sync({1ms});
    for (const auto& name : names) driver.want(key(name), {IpAddress::parse(name), {}, {}}, 60s);
    driver.end_sync();
  }
  // Every target's turn comes `times` times.
  void pass(int times) {
    const TimePoint end = steady_now() + times * 1s;
    for (auto due = driver.next_deadline(); due && *due < end; due = driver.next_deadline()) driver.advance(*due);
  }
  const active::EchoTotals& totals(const std::string& name) const {
    return driver.targets().at(key(name)).statistics.totals();
  }
  std::set<std::uint32_t> ids() const {
    std::set<std::uint32_t> all;
    for (const auto& [of, target] : driver.targets()) all.insert(target.id);
    return all;
  }
};

TEST(EchoDriver, CountsWhatCouldNotBeSentForItsTarget) {
  Echoes echoes;
  echoes.want({"192.0.2.1", "2001:db8::1"});
  echoes.pass(3);
  for (const auto* name : {"192.0.2.1", "2001:db8::1"}) {
    EXPECT_GE(echoes.totals(name).requests, 2U) << name;
    EXPECT_EQ(echoes.totals(name).send_errors, echoes.totals(name).requests) << name;
    EXPECT_EQ(echoes.totals(name).lost, 0U) << name;
  }
}

TEST(EchoDriver, ATargetThatComesTakesThePlaceOfOneThatWentAndNoneOfItsCounts) {
  Echoes echoes;
  echoes.want({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  echoes.pass(3);
  const auto ids = echoes.ids();
  EXPECT_EQ(ids.size(), 3U);
  const auto stayed = echoes.totals("192.0.2.3").requests;

  echoes.want({"192.0.2.2", "192.0.2.3"});
  EXPECT_EQ(echoes.driver.targets().size(), 2U);
  echoes.want({"192.0.2.2", "192.0.2.3", "192.0.2.9"});
  EXPECT_EQ(echoes.ids(), ids);  // however often targets come and go, their numbers stay small
  EXPECT_EQ(echoes.totals("192.0.2.9").requests, 0U);
  EXPECT_EQ(echoes.totals("192.0.2.3").requests, stayed);

  echoes.pass(6);
  EXPECT_GE(echoes.totals("192.0.2.9").requests, 2U);
  EXPECT_EQ(echoes.totals("192.0.2.9").send_errors, echoes.totals("192.0.2.9").requests);
  EXPECT_GT(echoes.totals("192.0.2.3").requests, stayed);
}

TEST(EchoDriver, AnotherAddressKeepsTheCounts) {
  Echoes echoes;
  const TargetKey key = Echoes::key("peer.example");
  const auto want = [&](const char* address) {
    echoes.driver.begin_sync({1ms});
    echoes.driver.want(key, {IpAddress::parse(address), {}, {}}, 60s);
    echoes.driver.end_sync();
  };
  want("192.0.2.1");
  echoes.pass(3);
  const auto before = echoes.totals("peer.example").requests;
  EXPECT_GE(before, 2U);
  want("192.0.2.2");
  EXPECT_EQ(echoes.totals("peer.example").requests, before);
  echoes.pass(6);
  EXPECT_GT(echoes.totals("peer.example").requests, before);
}

TEST(EchoDriver, WithoutAnAddressNothingIsAsked) {
  Echoes echoes;
  echoes.driver.begin_sync({1ms});
  echoes.driver.want(Echoes::key("unknown.example"), {std::nullopt, {}, {}}, 60s);
  echoes.driver.end_sync();
  EXPECT_FALSE(echoes.driver.next_deadline());
  EXPECT_EQ(echoes.totals("unknown.example").requests, 0U);
}

}  // namespace
}  // namespace tunnelwatch::agent
