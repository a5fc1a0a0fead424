#include "agent/diagnosis/esp_reach.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Whether ESP gets through, by all that tells of it: never more than was told, and silence never as a refusal.
namespace tunnelwatch::diagnosis {
namespace {

using namespace std::chrono_literals;
using active::TraceFinding;
using active::TraceOutcome;
using active::TraceProtocol;
using testing::HasSubstr;
using Outcome = EspProbeOutcome;
using Verdict = EspVerdict;
using Witness = EspWitness;

struct EspReachTest : testing::Test {
  void pass(Duration d) { now += d; }
  Verdict verdict() {
    reach.update(now);
    return reach.verdict();
  }
  void packets(bool outbound, std::uint64_t count = 5, bool in_udp = false) {
    reach.on_packets(outbound, count, in_udp, now);
  }
  void flow(bool in_udp = false) {
    packets(true, 5, in_udp);
    packets(false, 5, in_udp);
  }
  void probe(Outcome outcome, RefusalReason reason = RefusalReason::none, bool by_peer = false) {
    reach.on_probe({.outcome = outcome,
                    .reason = reason,
                    .by_peer = by_peer,
                    .rtt = 3ms,
                    .at = now,
                    .from = by_peer ? peer : router});
  }
  void trace(TraceOutcome outcome, RefusalReason reason = RefusalReason::ttl_exceeded) {
    TraceFinding f{
        .protocol = TraceProtocol::esp, .outcome = outcome, .hop = 3, .last_hop = 2, .last = {}, .witnesses = 2};
    f.last.from = router;
    f.last.reason = reason;
    const TraceFinding others[] = {TraceFinding{.protocol = TraceProtocol::icmp, .last = {}}, f};
    reach.on_trace(others, now);
  }
  void inner(std::uint32_t losses, const char* host = "10.2.0.1") {
    active::EchoWindow w;
    w.consecutive_losses = losses;
    w.last_reply = losses == 0 ? now : now - 5s;
    reach.on_inner_echo(host, w);
  }
  std::optional<EspTestimony> said_by(Witness witness) const {
    for (const auto& t : reach.testimony()) {
      if (t.witness == witness) return t;
    }
    return std::nullopt;
  }

  const IpAddress peer = *IpAddress::parse("198.51.100.20");
  const IpAddress router = *IpAddress::parse("203.0.113.1");
  TimePoint now{1h};
  EspReach reach;
};

TEST_F(EspReachTest, NobodyHasToldAnything) {
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_FALSE(reach.by());
  EXPECT_TRUE(reach.testimony().empty());
  EXPECT_EQ(reach.since(), now);
}

TEST_F(EspReachTest, BothDirectionsWithinTheWindowAreReachable) {
  packets(true);
  EXPECT_EQ(verdict(), Verdict::unknown) << "ours alone";
  packets(false);
  EXPECT_EQ(verdict(), Verdict::reachable);
  EXPECT_EQ(reach.by(), Witness::traffic);
  EXPECT_EQ(reach.in_udp(), false);
  pass(EspReach::kWindow);
  EXPECT_EQ(verdict(), Verdict::reachable);
  pass(1s);
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(EspReachTest, ThePeersAloneProvesOneWayOnly) {
  packets(false);
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_THAT(said_by(Witness::traffic)->text.en, HasSubstr("none of ours left"));
}

TEST_F(EspReachTest, OursThatGoesOnWithoutAnAnswerIsUnknownAndNotUnreachable) {
  flow();
  EXPECT_EQ(verdict(), Verdict::reachable);
  for (int i = 0; i < 4; ++i) {
    pass(1s);
    packets(true, 1);
  }
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_THAT(said_by(Witness::traffic)->text.en, HasSubstr("4 ESP packets of ours left since the peer's last one"));
  packets(false);
  EXPECT_EQ(verdict(), Verdict::reachable);
}

TEST_F(EspReachTest, TwoOfOursInAHurryAreNoOneWay) {
  flow();
  pass(1s);
  packets(true, 2);
  EXPECT_EQ(verdict(), Verdict::reachable);
}

TEST_F(EspReachTest, AHostBehindThePeerThatAnswers) {
  inner(0);
  EXPECT_EQ(verdict(), Verdict::reachable);
  EXPECT_EQ(reach.by(), Witness::inner_pings);
  pass(2s);
  inner(1);
  EXPECT_EQ(verdict(), Verdict::reachable) << "one lost ping is chance";
  inner(2, "10.2.0.2");
  EXPECT_EQ(verdict(), Verdict::reachable) << "another host's silence";
  inner(2);
  EXPECT_EQ(verdict(), Verdict::unknown) << "silence proves nothing";
}

TEST_F(EspReachTest, AnEchoThatIsAnsweredLastsUntilTwoAreMissed) {
  reach.set_probe_interval(60s);
  probe(Outcome::answered);
  EXPECT_EQ(verdict(), Verdict::reachable);
  EXPECT_EQ(reach.by(), Witness::esp_probe);
  pass(60s);
  probe(Outcome::silent);
  EXPECT_EQ(verdict(), Verdict::reachable) << "one missed is chance";
  EXPECT_TRUE(reach.wants_probe());
  EXPECT_FALSE(reach.lost_echo());
  pass(2s);
  probe(Outcome::silent);
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_TRUE(reach.lost_echo());
  EXPECT_THAT(said_by(Witness::esp_probe)->text.en, HasSubstr("of a peer that answered before"));
  probe(Outcome::answered);
  EXPECT_EQ(verdict(), Verdict::reachable);
  EXPECT_FALSE(reach.lost_echo());
  pass(181s);
  EXPECT_EQ(verdict(), Verdict::unknown) << "three intervals without a word";
}

TEST_F(EspReachTest, APeerThatNeverAnswersIsUnknownForEver) {
  for (int i = 0; i < 100; ++i, pass(60s)) {
    probe(Outcome::silent);
    ASSERT_EQ(verdict(), Verdict::unknown);
    ASSERT_FALSE(reach.lost_echo());
    ASSERT_FALSE(reach.wants_probe());
  }
  EXPECT_THAT(said_by(Witness::esp_probe)->text.en, HasSubstr("proves nothing"));
}

TEST_F(EspReachTest, ReasonsThatSayItDoesNotGetThere) {
  for (const auto reason :
       {RefusalReason::network_unreachable, RefusalReason::host_unreachable, RefusalReason::protocol_unreachable,
        RefusalReason::prohibited, RefusalReason::ttl_exceeded}) {
    reach = {};
    probe(Outcome::refused, reason);
    EXPECT_EQ(verdict(), Verdict::unreachable) << to_string(reason);
    EXPECT_EQ(said_by(Witness::esp_probe)->reason, reason);
    pass(1h);
    EXPECT_EQ(verdict(), Verdict::unreachable) << "until something else is told";
  }
  for (const auto reason : {RefusalReason::fragmentation_needed, RefusalReason::other_icmp}) {
    reach = {};
    probe(Outcome::refused, reason);
    EXPECT_EQ(verdict(), Verdict::unknown) << to_string(reason);
  }
  for (const auto& [reason, expected] : {std::pair{RefusalReason::no_route, Verdict::unreachable},
                                         std::pair{RefusalReason::not_permitted, Verdict::unreachable},
                                         std::pair{RefusalReason::no_buffers, Verdict::unknown},
                                         std::pair{RefusalReason::local_error, Verdict::unknown}}) {
    reach = {};
    probe(Outcome::send_error, reason);
    EXPECT_EQ(verdict(), expected) << to_string(reason);
  }
}

TEST_F(EspReachTest, WhoRefusesIsTold) {
  probe(Outcome::refused, RefusalReason::prohibited);
  verdict();
  EXPECT_THAT(said_by(Witness::esp_probe)->text.en, HasSubstr("203.0.113.1 (a device on the path)"));
  probe(Outcome::refused, RefusalReason::protocol_unreachable, /*by_peer=*/true);
  verdict();
  EXPECT_THAT(said_by(Witness::esp_probe)->text.en, HasSubstr("198.51.100.20 (the peer itself, which it reached)"));
}

TEST_F(EspReachTest, AnIcmpErrorAboutTheTunnelsOwnEsp) {
  reach.on_icmp_error(RefusalReason::fragmentation_needed, router, false, now);
  EXPECT_EQ(verdict(), Verdict::unknown) << "it was too big, and will be sent again";
  reach.on_icmp_error(RefusalReason::prohibited, router, false, now);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  EXPECT_EQ(reach.by(), Witness::icmp_error);
  pass(61s);
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(EspReachTest, WhatWasSeenLastCounts) {
  probe(Outcome::refused, RefusalReason::prohibited);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  pass(1s);
  inner(0);
  EXPECT_EQ(verdict(), Verdict::reachable);
  pass(20s);
  reach.on_icmp_error(RefusalReason::prohibited, router, false, now);
  EXPECT_EQ(verdict(), Verdict::unreachable);
}

TEST_F(EspReachTest, TrafficThatFlowsCountsMoreThanAnyRefusal) {
  flow();
  pass(1s);
  probe(Outcome::refused, RefusalReason::prohibited);
  reach.on_icmp_error(RefusalReason::prohibited, router, false, now);
  EXPECT_EQ(verdict(), Verdict::reachable);
  pass(EspReach::kFlowing);
  EXPECT_EQ(verdict(), Verdict::unreachable) << "and now it does not flow any more";
}

TEST_F(EspReachTest, ATraceSaysWhere) {
  probe(Outcome::answered);
  pass(1s);
  probe(Outcome::silent);
  probe(Outcome::silent);
  EXPECT_EQ(verdict(), Verdict::unknown);
  trace(TraceOutcome::dies);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  EXPECT_EQ(reach.by(), Witness::trace);
  EXPECT_EQ(said_by(Witness::trace)->hop, 3);
  EXPECT_EQ(said_by(Witness::trace)->reason, RefusalReason::none);
  pass(EspReach::kTraceLasts + 1s);
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(EspReachTest, WhatATraceDoesNotSay) {
  for (const auto outcome : {TraceOutcome::unknown, TraceOutcome::to_target, TraceOutcome::too_big}) {
    reach = {};
    trace(outcome);
    EXPECT_EQ(verdict(), Verdict::unknown) << active::to_string(outcome);
  }
  reach = {};
  trace(TraceOutcome::reached, RefusalReason::none);
  EXPECT_EQ(verdict(), Verdict::reachable) << "the peer's responder";
  trace(TraceOutcome::reached, RefusalReason::protocol_unreachable);
  EXPECT_EQ(verdict(), Verdict::unreachable) << "it came there and was refused";
  reach = {};
  trace(TraceOutcome::rejected, RefusalReason::prohibited);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  EXPECT_EQ(said_by(Witness::trace)->reason, RefusalReason::prohibited);
}

TEST_F(EspReachTest, ProtocolFiftySaysNothingOfEspInUdp) {
  probe(Outcome::refused, RefusalReason::protocol_unreachable, /*by_peer=*/true);
  trace(TraceOutcome::dies);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  pass(1s);
  flow(/*in_udp=*/true);
  EXPECT_EQ(verdict(), Verdict::reachable);
  EXPECT_TRUE(said_by(Witness::esp_probe)->beside);
  EXPECT_TRUE(said_by(Witness::trace)->beside);
  pass(61s);
  EXPECT_EQ(verdict(), Verdict::unknown) << "an idle tunnel: the refusal was never about it";
  EXPECT_TRUE(said_by(Witness::esp_probe)->beside);
}

TEST_F(EspReachTest, NatMeansUdpUntilTheTrafficSaysOtherwise) {
  probe(Outcome::refused, RefusalReason::prohibited);
  reach.on_nat();
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_EQ(reach.in_udp(), true);
  packets(true, 1, /*in_udp=*/false);
  EXPECT_EQ(verdict(), Verdict::unreachable);
  reach.on_nat();
  EXPECT_EQ(reach.in_udp(), false);
}

TEST_F(EspReachTest, WhereNobodyAsksAnyMoreNothingOfItHolds) {
  probe(Outcome::refused, RefusalReason::prohibited);
  inner(0);
  reach.forget_probes();
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_TRUE(reach.testimony().empty());
}

TEST_F(EspReachTest, ChangesAreToldOnce) {
  EXPECT_FALSE(reach.update(now)) << "unknown it was";
  probe(Outcome::answered);
  EXPECT_TRUE(reach.update(now));
  const auto since = reach.since();
  pass(5s);
  EXPECT_FALSE(reach.update(now));
  EXPECT_EQ(reach.since(), since);
}

TEST_F(EspReachTest, EveryTextStandsInBothLanguages) {
  flow(true);
  inner(0);
  reach.on_icmp_error(RefusalReason::prohibited, router, false, now);
  trace(TraceOutcome::dies);
  for (const auto outcome :
       {Outcome::answered, Outcome::refused, Outcome::send_error, Outcome::silent, Outcome::silent}) {
    probe(outcome, outcome == Outcome::answered ? RefusalReason::none : RefusalReason::prohibited);
    reach.update(now);
    for (const auto& t : reach.testimony()) {
      EXPECT_FALSE(t.text.en.empty());
      EXPECT_FALSE(t.text.zh.empty());
    }
  }
  EXPECT_EQ(reach.testimony().size(), kEspWitnessCount);
}

// What it does to a tunnel's causes and report.
using test::TrafficScript;
using From = TrafficScript::From;
using testing::ElementsAre;
using testing::IsEmpty;

EspProbeObservation refusal(const TrafficScript& s) {
  return {.outcome = Outcome::refused,
          .reason = RefusalReason::prohibited,
          .at = s.now(),
          .from = *IpAddress::parse("203.0.113.1")};
}

TEST(EspReachOfATunnel, ARefusedProbeAloneIsNoCause) {
  TrafficScript s;
  s.up(0);
  s.subject().on_esp_probe(refusal(s));
  s.pass(1000);
  EXPECT_THAT(s.active(), IsEmpty());
  s.both_ways(2, 6, 5);
  s.subject().on_esp_probe(refusal(s));
  s.pass(7000);
  EXPECT_THAT(s.active(), IsEmpty()) << "and the tunnel's own goes through";
}

TEST(EspReachOfATunnel, ARefusedProbeBesideEspThatDoesNotComeBackIsBlockedEsp) {
  TrafficScript s;
  s.up(0);
  s.both_ways(1, 3, 5);
  for (int i = 3; i < 6; ++i) s.esp_flow(1000 * i, From::local, 2);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be lost on the way back";
  s.subject().on_esp_probe(refusal(s));
  s.esp_flow(6000, From::local, 2);
  EXPECT_THAT(s.active(), ElementsAre("esp_blocked"));
  EXPECT_EQ(s.confidence_of("esp_blocked"), "confirmed");
  EXPECT_THAT(s.evidence_of("esp_blocked"),
              HasSubstr("203.0.113.1 (a device on the path) refuses a packet of protocol 50"));
  s.esp_flow(7000, From::remote, 2);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(EspReachOfATunnel, ProtocolFiftySaysNothingOfATunnelInUdp) {
  TrafficScript s;
  s.up(0);
  s.subject().esp_reach().on_packets(true, 1, /*in_udp=*/true, s.now());
  s.subject().on_esp_probe(refusal(s));
  EXPECT_FALSE(s.subject().evidence().facts().is(FactId::probe_esp_rejected));
}

TEST(EspReachOfATunnel, WhatProtocolFiftySaidBeforeTheTunnelWasSeenInUdpIsForgotten) {
  for (const bool in_udp : {true, false}) {
    SCOPED_TRACE(in_udp);
    TrafficScript s;
    s.up(0);
    s.subject().on_esp_probe(refusal(s));
    s.subject().esp_reach().on_packets(true, 1, in_udp, s.now());
    s.pass(1000);
    EXPECT_EQ(s.subject().evidence().facts().is(FactId::probe_esp_rejected), !in_udp);
  }
}

TEST(EspReachOfATunnel, AnotherPeerIsAnotherWay) {
  TrafficScript s;
  s.subject().on_esp_probe(refusal(s));
  s.subject().esp_reach().update(s.now());
  ASSERT_EQ(s.subject().esp_reach().verdict(), Verdict::unreachable);
  s.subject().set_remote(s.subject().remote());
  EXPECT_EQ(s.subject().esp_reach().verdict(), Verdict::unreachable) << "the same one";
  s.subject().set_remote(IpAddress::parse("198.51.100.99"));
  s.subject().esp_reach().update(s.now());
  EXPECT_EQ(s.subject().esp_reach().verdict(), Verdict::unknown);
}

TEST(EspReachOfATunnel, TheReportTellsTheVerdictWithItsReason) {
  TrafficScript s;
  s.up(0);
  const auto report = [&](exporters::Detail detail) {
    return s.watch().report(WallClock::of_capture_file(), detail).front().esp_reach;
  };
  EXPECT_FALSE(report(exporters::Detail::all)) << "nobody has looked";
  s.subject().on_esp_probe(refusal(s));
  s.subject().esp_reach().update(s.now());
  const auto told = report(exporters::Detail::all);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->verdict, "unreachable");
  EXPECT_EQ(told->by, "esp_probe");
  EXPECT_EQ(told->reason, "prohibited");
  ASSERT_EQ(told->evidence.size(), 1U);
  EXPECT_EQ(told->evidence[0].says, "unreachable");
  const auto numbers = report(exporters::Detail::numbers);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->verdict, "unreachable");
  EXPECT_TRUE(numbers->evidence.empty());
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
