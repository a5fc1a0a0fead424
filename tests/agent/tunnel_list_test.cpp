#include "agent/tunnel_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using passive::PeerKey;
using testing::ElementsAre;
using testing::IsEmpty;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

const IpAddress kHere = address("192.0.2.10");
const IpAddress kHere2 = address("192.0.2.11");
const IpAddress kThere = address("198.51.100.20");
const IpAddress kElsewhere = address("198.51.100.21");

class TunnelListTest : public testing::Test {
 protected:
  Tunnel& add(const std::string& name, const std::optional<IpAddress>& remote, bool configured = true,
              const std::optional<IpAddress>& local = std::nullopt) {
    config::Tunnel settings;
    settings.name = name;
    settings.local = local;
    settings.remote = {name + ".example", remote};
    return list.add(std::make_unique<Tunnel>(settings, configured, config::LossThresholds{}));
  }
  std::vector<std::string> between(const IpAddress& local, const IpAddress& remote) {
    std::vector<std::string> names;
    const auto found = list.visit({local, remote}, [&](const Tunnel& t) { names.push_back(t.name()); });
    EXPECT_EQ(found, names.size());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> changed() {
    std::vector<std::string> names;
    list.visit_changed([&](Tunnel& t) {
      names.push_back(t.name());
      t.settle(nullptr, now);
    });
    return names;
  }
  void esp(Tunnel& tunnel, bool outbound) {
    passive::EspStreamSummary s;
    s.spi = outbound ? 0x1000 : 0x2000;
    s.packets = packets += 5;
    s.first = s.last = now;
    tunnel.on_esp(s, outbound);
  }

  TunnelList list;
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  std::uint64_t packets = 0;
};

TEST_F(TunnelListTest, FindsByPeerWhatIsBetweenTheseEnds) {
  add("any", kThere);
  add("first", kThere, true, kHere);
  add("second", kThere, true, kHere2);
  add("other", kElsewhere);
  EXPECT_THAT(between(kHere, kThere), ElementsAre("any", "first"));
  // What had no local end is bound to the first that it was seen with.
  EXPECT_THAT(between(kHere2, kThere), ElementsAre("second"));
  EXPECT_THAT(between(kHere, address("203.0.113.1")), IsEmpty());
}

TEST_F(TunnelListTest, FindsByName) {
  Tunnel& a = add("a", kThere);
  EXPECT_EQ(list.find("a"), &a);
  EXPECT_EQ(list.find("b"), nullptr);
  list.remove(a);
  EXPECT_EQ(list.find("a"), nullptr);
  EXPECT_THAT(between(kHere, kThere), IsEmpty());
}

TEST_F(TunnelListTest, AnotherAddressIsFoundAndTheOldOneIsNot) {
  Tunnel& named = add("named", std::nullopt);
  EXPECT_THAT(between(kHere, kThere), IsEmpty());
  list.set_remote(named, kThere);
  EXPECT_THAT(between(kHere, kThere), ElementsAre("named"));
  list.set_remote(named, kElsewhere);
  EXPECT_THAT(between(kHere, kThere), IsEmpty());
}

TEST_F(TunnelListTest, RemovesWhatWasDiscoveredAndNothingThatIsConfigured) {
  add("configured", kThere).bind({kHere, kThere});
  add("discovered", kThere, false, kHere).bind({kHere, kThere});
  EXPECT_EQ(list.configured(), 1U);
  EXPECT_EQ(list.discovered(), 1U);
  list.remove_discovered({kHere2, kThere});
  EXPECT_EQ(list.discovered(), 1U);
  list.remove_discovered({kHere, kThere});
  EXPECT_THAT(between(kHere, kThere), ElementsAre("configured"));
  list.remove_discovered({kHere, kThere});
  EXPECT_EQ(list.all().size(), 1U);
}

TEST_F(TunnelListTest, VisitsOnceWhatSomethingWasTold) {
  Tunnel& a = add("a", kThere);
  add("b", kElsewhere);
  EXPECT_THAT(changed(), ElementsAre("a", "b"));  // new ones have yet to be judged
  EXPECT_FALSE(list.any_changed());
  esp(a, true);
  esp(a, true);
  EXPECT_TRUE(list.any_changed());
  EXPECT_THAT(changed(), ElementsAre("a"));
  EXPECT_THAT(changed(), IsEmpty());
  esp(a, true);
  list.remove(a);
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(TunnelListTest, TimeMakesADifferenceOnlyToWhatWaits) {
  Tunnel& a = add("a", kThere);
  add("b", kElsewhere);
  changed();
  list.advance(now);
  EXPECT_FALSE(list.any_changed());
  esp(a, false);
  now += std::chrono::seconds(1);
  esp(a, true);  // leaves unanswered: each tick may make it worse
  changed();
  list.advance(now += std::chrono::seconds(1));
  EXPECT_THAT(changed(), ElementsAre("a"));
  esp(a, false);  // answered; what it counts over a window runs out
  for (int i = 0; i < 120; ++i) list.advance(now += std::chrono::seconds(1));
  changed();
  list.advance(now += std::chrono::seconds(1));
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(TunnelListTest, WhatWasTakenOutTellsNothingMore) {
  Tunnel& a = add("a", kThere);
  changed();
  const auto taken = list.take();
  ASSERT_EQ(taken.size(), 1U);
  esp(a, true);
  EXPECT_FALSE(list.any_changed());
  EXPECT_EQ(list.configured(), 0U);
  EXPECT_THAT(between(kHere, kThere), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch::agent
