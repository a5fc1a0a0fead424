#include "agent/diagnosis/path_evidence.h"

#include "agent/diagnosis/rules.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tunnelwatch::diagnosis {
namespace {

using active::TraceFinding;
using active::TraceOutcome;
using active::TraceProtocol;
using F = FactId;

constexpr TimePoint kNow = TimePoint{} + std::chrono::hours(1);

TraceFinding finding(TraceProtocol protocol, TraceOutcome outcome) {
  TraceFinding f{
      .protocol = protocol, .outcome = outcome, .hop = 3, .last_hop = 2, .last = {}, .witnesses = 2, .target_hop = 5};
  f.last.from = *IpAddress::parse("10.99.1.2");
  f.last.reason = RefusalReason::prohibited;
  return f;
}

void tell(Facts& facts, TraceProtocol protocol, TraceOutcome outcome) {
  const TraceFinding f = finding(protocol, outcome);
  tell_trace(facts, {&f, 1}, kNow);
}

TEST(PathEvidence, WhatEndsOnTheWayIsAFactWithItsHop) {
  Facts facts;
  tell(facts, TraceProtocol::udp_4500, TraceOutcome::dies);
  ASSERT_TRUE(facts.is(F::trace_4500_ends));
  EXPECT_EQ(
      facts[F::trace_4500_ends].evidence.en,
      "a trace: UDP 4500 ends at hop 3: the last answer is from 10.99.1.2 at hop 2, 2 routers behind it answer other "
      "protocols only");
  EXPECT_NE(facts[F::trace_4500_ends].evidence.zh.find("10.99.1.2"), std::string::npos);
  EXPECT_FALSE(facts.is(F::trace_500_ends));
  tell(facts, TraceProtocol::udp_4500, TraceOutcome::rejected);
  EXPECT_EQ(facts[F::trace_4500_ends].evidence.en,
            "a trace: 10.99.1.2 rejects UDP 4500 at hop 3: administratively prohibited: a filter refuses it");
  tell(facts, TraceProtocol::udp_4500, TraceOutcome::reached);
  EXPECT_TRUE(facts.is_not(F::trace_4500_ends));
}

TEST(PathEvidence, NothingKnownIsNoFact) {
  Facts facts;
  tell(facts, TraceProtocol::esp, TraceOutcome::dies);
  EXPECT_TRUE(facts.is(F::trace_esp_ends));
  for (const auto outcome : {TraceOutcome::unknown, TraceOutcome::to_target}) {
    tell(facts, TraceProtocol::esp, TraceOutcome::dies);
    tell(facts, TraceProtocol::esp, outcome);
    EXPECT_FALSE(facts.is(F::trace_esp_ends));
    EXPECT_FALSE(facts.is_not(F::trace_esp_ends));
  }
  tell(facts, TraceProtocol::udp_500, TraceOutcome::to_target);
  EXPECT_TRUE(facts.is(F::trace_500_ends));
  forget_trace(facts);
  EXPECT_FALSE(facts.is(F::trace_500_ends));
}

TEST(PathEvidence, ATraceAloneRaisesNoCauseAndStandsBesideOne) {
  Facts facts;
  for (const auto p : {TraceProtocol::udp_500, TraceProtocol::udp_4500, TraceProtocol::esp})
    tell(facts, p, TraceOutcome::dies);
  EXPECT_TRUE(diagnose(facts).empty());
  facts.affirm(F::esp_one_way, kNow, Confidence::likely, {"ESP leaves and none comes", ""});
  const auto findings = diagnose(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].cause, Cause::esp_blocked);
  ASSERT_EQ(findings[0].evidence.size(), 2U);
  EXPECT_EQ(findings[0].evidence[1].en.find("a trace: ESP ends at hop 3"), 0U);
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
