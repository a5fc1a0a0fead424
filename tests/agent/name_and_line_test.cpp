#include "agent/watch.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What look-ups of the peer's name, echoes and the line's own counters make of a tunnel.
namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using active::EchoWindow;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const IpAddress kHere = *IpAddress::parse("192.0.2.10");
const IpAddress kOld = *IpAddress::parse("198.51.100.20");
const IpAddress kNew = *IpAddress::parse("198.51.100.21");

class Scene {
 public:
  explicit Scene(std::uint64_t egress = 0) {
    config::Tunnel t;
    t.name = "a";
    t.remote = {"vpn.example.com", {}};
    t.bandwidth.egress = egress;
    watch.configure({t});
    tunnel().evidence().line().set_limit(egress);
  }
  Tunnel& tunnel() { return *watch.find("a"); }
  void resolve(const IpAddress& address) { watch.set_remote(tunnel(), address, now); }
  void pass(Duration d) {
    now += d;
    watch.advance(now);
  }
  void sees(const IpAddress& peer, passive::IkeSight sight) {
    passive::IkeObservation o;
    o.sight = sight;
    o.by = passive::Side::local;
    o.version = 2;
    o.at = now;
    watch.on_ike(passive::PeerKey{kHere, peer}, o);
    watch.settle(now);
  }
  std::vector<std::string> active() {
    watch.settle(now);
    std::vector<std::string> list;
    for (const auto* c : tunnel().verdict().ranked()) {
      if (c->active) list.emplace_back(to_string(c->cause));
    }
    return list;
  }
  std::string evidence_of(std::string_view cause) {
    std::string text;
    for (const auto* c : tunnel().verdict().ranked()) {
      if (to_string(c->cause) != cause) continue;
      for (const auto& e : c->evidence) text += e.en + "\n";
    }
    return text;
  }
  // Windows of the peer's address and of a reference; both are asked 60 times.
  void echoes(std::uint64_t gateway_lost, std::uint64_t reference_lost, std::uint64_t asked = 60, Duration rtt = 10ms,
              std::optional<std::uint64_t> inner_lost = {}) {
    const auto window = [&](std::uint64_t lost) {
      EchoWindow w;
      w.sent = w.in_service = asked;
      w.lost = w.in_service_lost = lost;
      w.loss_ratio = w.in_service_loss = active::wilson_interval(lost, asked);
      w.last_reply = now;
      w.rtt_newest = rtt;
      return w;
    };
    tunnel().evidence().on_reference_echo("203.0.113.1", window(reference_lost), now, true, true);
    tunnel().evidence().on_gateway_echo("198.51.100.20", window(gateway_lost), now);
    if (inner_lost) tunnel().evidence().on_inner_echo("10.2.0.10", window(*inner_lost), now, true, true);
  }
  // Seconds of the line's interface carrying this many bits a second.
  void line(int seconds, std::uint64_t sent, std::uint64_t received) {
    for (int i = 0; i < seconds; ++i) {
      pass(1s);
      counters.sent_bytes += sent / 8;
      counters.received_bytes += received / 8;
      tunnel().evidence().line().on_counters("wan", counters, now);
    }
  }

  // Seconds of its queue, with packets sent and dropped in each.
  void queue(int seconds, std::uint32_t sent, std::uint32_t dropped) {
    for (int i = 0; i < seconds; ++i) {
      pass(1s);
      queued.packets += sent;
      queued.drops += dropped;
      tunnel().evidence().line().on_queue("wan", queued, now);
    }
  }

  TimePoint now{1h};
  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  diagnosis::LineCounters counters;
  diagnosis::QueueCounters queued;
};

const char* const kName = "dns_resolution_status_change";

TEST(PeerName, TheFirstAddressIsNoChange) {
  Scene s;
  s.resolve(kOld);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(PeerName, AnotherAddressIsACauseUntilIkeStandsWithIt) {
  Scene s;
  s.resolve(kOld);
  s.sees(kOld, passive::IkeSight::ike_established);
  s.sees(kOld, passive::IkeSight::child_established);
  s.pass(60s);
  s.resolve(kNew);
  EXPECT_THAT(s.active(), ElementsAre(kName));
  EXPECT_THAT(s.evidence_of(kName), HasSubstr("vpn.example.com stood for 198.51.100.20 and stands for 198.51.100.21"));
  s.pass(1s);
  s.sees(kNew, passive::IkeSight::negotiation_started);
  EXPECT_THAT(s.active(), Contains(kName)) << "begun is not done";
  s.sees(kNew, passive::IkeSight::ike_established);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(s.tunnel().peer(), (passive::PeerKey{kHere, kNew})) << "the tunnel follows";
}

TEST(PeerName, AGatewayThatFollowedFirstHasNothingWrong) {
  Scene s;
  s.resolve(kOld);
  s.sees(kOld, passive::IkeSight::ike_established);
  s.pass(10s);
  s.sees(kNew, passive::IkeSight::ike_established);
  ASSERT_EQ(s.watch.tunnels().size(), 2U) << "a stranger, as long as the name was not looked up";
  s.resolve(kNew);
  EXPECT_EQ(s.watch.tunnels().size(), 1U);
}

TEST(PeerName, WhereNobodySeesIkeAChangeIsOldNewsAfterAWhile) {
  Scene s;
  s.resolve(kOld);
  s.resolve(kNew);
  s.pass(9min);
  EXPECT_THAT(s.active(), ElementsAre(kName));
  s.pass(2min);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(PeerName, OneFailedLookUpIsChanceAndTwoAreACause) {
  Scene s;
  s.resolve(kOld);
  auto& names = s.tunnel().evidence().names();
  names.on_lookup("vpn.example.com", 1, "no answer within the deadline", s.now);
  EXPECT_THAT(s.active(), IsEmpty());
  names.on_lookup("vpn.example.com", 2, "no answer within the deadline", s.now);
  EXPECT_THAT((s.tunnel().evidence(), s.active()), ElementsAre(kName));
  EXPECT_THAT(s.evidence_of(kName),
              HasSubstr("2 look-ups of vpn.example.com in a row failed: no answer within the deadline"));
  s.tunnel().evidence().names().on_lookup("vpn.example.com", 0, "", s.now);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(PeerName, ATunnelThatWorksNeedsNoNameNow) {
  Scene s;
  s.resolve(kOld);
  s.tunnel().evidence().facts().affirm(diagnosis::FactId::ike_up, s.now, diagnosis::Confidence::confirmed, {});
  s.tunnel().evidence().facts().affirm(diagnosis::FactId::child_up, s.now, diagnosis::Confidence::confirmed, {});
  s.tunnel().evidence().names().on_lookup("vpn.example.com", 5, "x", s.now);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(Loss, OnAWayThatLosesAFewMissedAnswersAreNoDeadPeer) {
  for (const bool lossy : {false, true}) {
    SCOPED_TRACE(lossy);
    Scene s;
    s.sees(kOld, passive::IkeSight::ike_established);
    s.resolve(kOld);
    s.echoes(lossy ? 20 : 0, 0);
    EchoWindow missed;
    missed.consecutive_losses = 2;
    missed.last_reply = s.now;
    s.tunnel().evidence().on_gateway_echo("198.51.100.20", missed, s.now);
    passive::IkeObservation o;
    o.sight = passive::IkeSight::request_unanswered;
    o.by = passive::Side::local;
    o.version = 2;
    o.since = s.now;
    const auto dead_after = [&](std::uint16_t sends, Duration d) {
      s.pass(d);
      o.sends = sends;
      o.at = s.now;
      s.tunnel().evidence().on_ike(o);
      const auto causes = s.active();
      return std::find(causes.begin(), causes.end(), "dpd_timeout") != causes.end();
    };
    EXPECT_EQ(dead_after(1, 600ms), !lossy);
    EXPECT_EQ(dead_after(2, 2s), !lossy);
    EXPECT_TRUE(dead_after(4, 6s));
  }
}

TEST(Loss, WhatTheWayOutsideLostAMomentAgoIsNotTheTunnels) {
  for (const bool outside : {true, false}) {
    SCOPED_TRACE(outside);
    Scene s;
    s.echoes(outside ? 15 : 0, 0, 60, 10ms, 20);
    EXPECT_EQ(s.active(), std::vector<std::string>{outside ? "peer_path_loss" : "tunnel_only_loss"});
    for (int i = 0; i < 58; ++i) {  // the window of the inner host holds it for longer
      s.pass(1s);
      s.echoes(0, 0, 60, 10ms, 10);
    }
    EXPECT_EQ(s.active(), outside ? std::vector<std::string>{} : std::vector<std::string>{"tunnel_only_loss"});
    for (int i = 0; i < 5; ++i) {
      s.pass(1s);
      s.echoes(0, 0, 60, 10ms, 10);
    }
    EXPECT_THAT(s.active(), ElementsAre("tunnel_only_loss")) << "what goes on beyond the window is the tunnel's own";
  }
}

TEST(Loss, IsToldWhereEvenItsLowerBoundIsAboveTheThreshold) {
  struct Row {
    const char* name;
    std::uint64_t lost, asked;
    bool told;
  };
  for (const Row& row : {Row{"two of twenty are chance", 2, 20, false}, Row{"so are three of sixty", 3, 60, false},
                         Row{"4 of 60: the bound is at 2.6 %", 4, 60, true}, Row{"20 %", 12, 60, true},
                         Row{"1 % of many", 6, 600, false}, Row{"5 % of many", 30, 600, true}}) {
    Scene s;
    s.echoes(row.lost, 0, row.asked);
    EXPECT_EQ(!s.active().empty(), row.told) << row.name;
  }
}

TEST(Loss, ClearsOnlyBelowItsOwnThreshold) {
  Scene s;
  s.echoes(6, 0);
  EXPECT_THAT(s.active(), ElementsAre("peer_path_loss"));
  s.echoes(1, 0);
  EXPECT_THAT(s.active(), ElementsAre("peer_path_loss")) << "1.7 %: neither raised nor cleared";
  s.echoes(6, 0, 600);
  EXPECT_THAT(s.active(), IsEmpty()) << "1 %";
  s.echoes(1, 0);
  EXPECT_THAT(s.active(), IsEmpty()) << "1.7 % again";
}

TEST(Loss, ReferencesThatLoseAreCleanAgainOnlyBelowTheThresholdToo) {
  Scene s;
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
  s.echoes(6, 1);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
  s.echoes(6, 0);
  EXPECT_THAT(s.active(), ElementsAre("peer_path_loss"));
}

const char* const kLine = "egress_bandwidth_exceeded";

TEST(Line, AFullLineThatLosesIsTheCauseAndNotTheNetwork) {
  Scene s(10'000'000);
  s.echoes(0, 0);
  s.line(8, 9'400'000, 300'000);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre(kLine));
  EXPECT_THAT(s.evidence_of(kLine), HasSubstr("wan sent 9.40 Mbit/s over 6 s, of the 10 Mbit/s that the line carries"));
  EXPECT_THAT(s.evidence_of(kLine), HasSubstr("lost"));
}

TEST(Line, AFullLineThatLosesNothingIsWellUsed) {
  Scene s(10'000'000);
  s.line(8, 9'900'000, 300'000);
  s.echoes(0, 0);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(Line, LossOnAnIdleLineIsAnothers) {
  Scene s(10'000'000);
  s.line(8, 5'000'000, 300'000);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

TEST(Line, WithoutTheConfiguredBandwidthNothingIsCompared) {
  Scene s(0);
  s.line(8, 9'900'000, 300'000);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

TEST(Line, AQueueIsEnough) {
  Scene s(10'000'000);
  s.line(4, 100'000, 100'000);
  s.echoes(0, 0, 60, 10ms);
  s.line(8, 100'000, 9'900'000);
  s.echoes(0, 0, 60, 25ms);
  EXPECT_THAT(s.active(), IsEmpty()) << "15 ms more may be anything";
  s.echoes(0, 0, 60, 180ms);
  EXPECT_THAT(s.active(), ElementsAre(kLine));
  EXPECT_THAT(s.evidence_of(kLine), HasSubstr("received 9.90 Mbit/s"));
  EXPECT_THAT(s.evidence_of(kLine), HasSubstr("take 180.0 ms, and 10.0 ms while the line was not full"));
}

TEST(Line, ItEndsWithTheLoadAndNotAtOnce) {
  Scene s(10'000'000);
  s.line(8, 9'400'000, 0);
  s.echoes(6, 6);
  s.line(8, 8'500'000, 0);
  EXPECT_THAT(s.active(), ElementsAre(kLine)) << "between the thresholds";
  s.line(8, 1'000'000, 0);
  EXPECT_THAT(s.active(), Not(Contains(kLine)));
}

TEST(Line, AQueueThatDropsIsTheCauseOfWhatEchoesLose) {
  Scene s(0);
  s.echoes(0, 0);
  s.queue(8, 500, 20);
  EXPECT_THAT(s.active(), IsEmpty()) << "echoes get through: senders are kept in bounds";
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre(kLine));
  EXPECT_THAT(s.evidence_of(kLine), HasSubstr("the queue of wan dropped 120 packets over 6 s and sent 3000"));
  EXPECT_EQ(s.tunnel().evidence().line().dropped(), 140U);
  s.queue(8, 500, 0);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss")) << "it drops no more, and they are lost all the same";
}

TEST(Line, AFewDropsOfManyAreHowAQueueWorks) {
  Scene s(0);
  s.queue(8, 5000, 20);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss")) << "0.4 %";
  s.queue(8, 10, 1);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss")) << "6 packets";
}

TEST(Line, AFullLineWhoseQueueDropsNeedsNoEchoes) {
  Scene s(10'000'000);
  s.line(8, 9'400'000, 300'000);
  EXPECT_THAT(s.active(), IsEmpty());
  s.queue(8, 500, 20);
  EXPECT_THAT(s.active(), ElementsAre(kLine));
  s.tunnel().evidence().line().on_blind_queue();
  s.watch.settle(s.now);
  EXPECT_THAT(s.active(), IsEmpty()) << "not known any more";
}

TEST(Line, AQueueThatBeganAnewOrWrappedHasDroppedNoMore) {
  Scene s(0);
  s.queued = {0xffff'ff00, 0xffff'fff0};
  s.queue(8, 100, 4);
  EXPECT_EQ(s.tunnel().evidence().line().dropped(), 28U) << "over the end of the numbers";
  s.queued = {};
  s.queue(2, 100, 1);
  s.echoes(6, 6);
  EXPECT_EQ(s.tunnel().evidence().line().dropped(), 29U) << "replaced";
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

TEST(Line, ABurstOfTwoSecondsIsNoRate) {
  Scene s(10'000'000);
  s.line(3, 20'000'000, 0);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

TEST(Line, AnInterfaceThatIsNotThereTellsNothing) {
  Scene s(10'000'000);
  s.line(8, 9'400'000, 0);
  s.tunnel().evidence().line().on_blind();
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

TEST(Line, CountersThatBeganAnewAreNoRate) {
  Scene s(10'000'000);
  s.counters.sent_bytes = 1'000'000'000'000;
  s.line(8, 1'000'000, 0);
  s.counters.sent_bytes = 0;
  s.line(2, 1'000'000, 0);
  s.echoes(6, 6);
  EXPECT_THAT(s.active(), ElementsAre("public_network_loss"));
}

}  // namespace
}  // namespace tunnelwatch::agent
