#include "agent/diagnosis/xfrm_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The kernel's IPsec policies and states, against the configuration, to the verdict: each row with what only looks
// like it.
namespace tunnelwatch {
namespace {

using diagnosis::contains;
using diagnosis::FactId;
using diagnosis::HardExpiries;
using diagnosis::overlap;
using diagnosis::XfrmIndex;
using host::XfrmDirection;
using host::XfrmMode;
using host::XfrmPolicy;
using host::XfrmState;
using host::XfrmView;
using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kSelf = TrafficScript::kLocal;
const IpAddress kPeer = TrafficScript::kRemote;
const IpAddress kOther = *IpAddress::parse("203.0.113.7");
constexpr std::uint32_t kPriority = 2000;

IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

XfrmPolicy policy(const char* source, const char* destination, const IpAddress& peer = kPeer,
                  std::uint32_t priority = kPriority) {
  XfrmPolicy p;
  p.selector.source = prefix(source);
  p.selector.destination = prefix(destination);
  p.direction = XfrmDirection::out;
  p.priority = priority;
  p.templates = {{kSelf, peer, 0, host::kProtocolEsp, XfrmMode::tunnel, 1, false}};
  return p;
}

XfrmPolicy bypass(const char* source, const char* destination, std::uint32_t priority) {
  XfrmPolicy p = policy(source, destination, kPeer, priority);
  p.templates.clear();
  return p;
}

XfrmState state(const IpAddress& source, const IpAddress& destination, std::uint32_t spi,
                XfrmMode mode = XfrmMode::tunnel) {
  XfrmState s;
  s.source = source;
  s.destination = destination;
  s.spi = spi;
  s.protocol = host::kProtocolEsp;
  s.mode = mode;
  s.request = 1;
  s.hard.seconds = 3600;
  s.algorithms = {{"rfc4106(gcm(aes))", 288}};
  return s;
}

// All is as it should be.
XfrmView healthy() {
  XfrmView v;
  v.complete = true;
  v.policies = {policy("10.1.0.0/24", "10.2.0.0/24")};
  v.policies.push_back(policy("10.2.0.0/24", "10.1.0.0/24", kSelf));
  v.policies.back().direction = XfrmDirection::in;
  v.states = {state(kSelf, kPeer, 0x1000), state(kPeer, kSelf, 0x2000)};
  return v;
}

class Xfrm : public testing::Test {
 protected:
  void says(const XfrmView& v) {
    s.pass(at += 5000);
    const XfrmIndex index(v);
    diagnosis::judge_xfrm(facts(), s.subject().settings(), s.subject().remote(), index, s.now());
    expiries.settle(v, s.now());
    expiries.judge(facts(), s.subject().remote());
    s.watch().settle(s.now());
  }
  // Long enough to be no passing change.
  void keeps_saying(const XfrmView& v) {
    says(v);
    says(v);
  }
  void trouble() {
    facts().affirm(FactId::gateway_silent, s.now(), diagnosis::Confidence::likely, {"silent", "silent"});
  }
  diagnosis::Facts& facts() { return s.subject().evidence().facts(); }
  TrafficScript s;
  HardExpiries expiries;
  int at = 0;
};

TEST_F(Xfrm, AllIsWell) {
  trouble();
  keeps_saying(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_TRUE(s.is_not(FactId::policy_absent));
  EXPECT_TRUE(s.is_not(FactId::sa_mode_differs));
}

// Whose ESP user space handles has neither, and a kernel that serves others says nothing of it.
TEST_F(Xfrm, APeerThatTheKernelDoesNotServeIsUnknown) {
  XfrmView v;
  v.complete = true;
  v.policies = {policy("10.1.0.0/24", "10.9.0.0/24", kOther)};
  v.states = {state(kSelf, kOther, 1)};
  trouble();
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_FALSE(s.is(FactId::policy_absent));
  EXPECT_FALSE(s.is_not(FactId::policy_absent));
}

TEST_F(Xfrm, NoPolicyForASubnetWhileThereAreOthersForThePeer) {
  XfrmView v = healthy();
  v.policies[0].selector.destination = prefix("10.7.0.0/24");
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be about to come";
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("no_policy_applied_on_interface"));
  EXPECT_EQ(s.evidence_of("no_policy_applied_on_interface"),
            "no IPsec policy of the kernel covers 10.1.0.0/24 -> 10.2.0.0/24, while others are for 198.51.100.20");
  says(healthy());
  EXPECT_THAT(s.active(), IsEmpty());
  v.policies.clear();  // states that no policy leads to
  keeps_saying(v);
  EXPECT_THAT(s.active(), ElementsAre("no_policy_applied_on_interface"));
  v.complete = false;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be among what was not read";
}

TEST_F(Xfrm, APolicyForAPartOrForAnotherPeerIsNoMissingPolicy) {
  XfrmView v = healthy();
  v.policies[0].selector.destination = prefix("10.2.0.0/25");
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "a part";
  v.policies[0] = policy("10.0.0.0/8", "0.0.0.0/0");
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "more than the subnets";
  v.policies[0] = policy("10.1.0.0/24", "10.2.0.0/24");
  v.policies[0].selector.protocol = 6;
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "some protocols";
  v.policies[0] = policy("10.1.0.0/24", "10.2.0.0/24", kOther);
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "a peer that stands in for this one";
}

TEST_F(Xfrm, TwoPoliciesOfTheSamePriorityClaimTheFlow) {
  XfrmView v = healthy();
  v.policies.push_back(policy("10.1.0.0/16", "10.2.0.0/16", kOther));
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "one may be about to go";
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("flow_conflict"));
  EXPECT_EQ(s.evidence_of("flow_conflict"),
            "the policies 10.1.0.0/24 -> 10.2.0.0/24 to 198.51.100.20 and 10.1.0.0/16 -> 10.2.0.0/16 to 203.0.113.7 "
            "overlap and have the same priority 2000");
}

TEST_F(Xfrm, AWiderPolicyThatGoesBeforeTakesTheFlow) {
  XfrmView v = healthy();
  v.policies.push_back(policy("10.1.0.0/16", "10.2.0.0/16", kOther, kPriority - 1));
  keeps_saying(v);
  EXPECT_THAT(s.active(), ElementsAre("flow_conflict"));
  EXPECT_EQ(s.evidence_of("flow_conflict"),
            "the policy 10.1.0.0/16 -> 10.2.0.0/16 to 203.0.113.7 takes all that 10.1.0.0/24 -> 10.2.0.0/24 to "
            "198.51.100.20 is for: its priority 1999 goes before 2000");
}

TEST_F(Xfrm, PoliciesThatAreKeptApartAreNoConflict) {
  const auto is_quiet = [&](const char* what, XfrmPolicy other) {
    XfrmView v = healthy();
    v.policies.push_back(std::move(other));
    keeps_saying(v);
    EXPECT_THAT(s.active(), IsEmpty()) << what;
  };
  is_quiet("a narrower one that goes before", policy("10.1.0.0/25", "10.2.0.0/25", kOther, kPriority - 1));
  is_quiet("a wider one that goes behind", policy("10.0.0.0/8", "10.0.0.0/8", kOther, kPriority + 1));
  is_quiet("another flow", policy("10.1.0.0/24", "10.3.0.0/24", kOther));
  is_quiet("the same peer", policy("10.1.0.0/16", "10.2.0.0/16", kPeer, kPriority - 1));
  is_quiet("a bypass between two hosts", bypass("10.1.0.1/32", "10.2.0.1/32", 10));
  XfrmPolicy other = policy("10.1.0.0/16", "10.2.0.0/16", kOther);
  other.mark.interface_id = 7;
  is_quiet("an interface of its own", other);
  other.mark = {5, 0xff, 0};
  is_quiet("a mark of its own", other);
  other.mark = {};
  other.direction = XfrmDirection::in;
  is_quiet("the other direction", other);
  other.direction = XfrmDirection::out;
  other.blocks = true;
  is_quiet("one that blocks", other);
  XfrmView v = healthy();
  v.policies[0].selector.protocol = 6;
  v.policies.push_back(policy("10.1.0.0/16", "10.2.0.0/16", kOther));
  v.policies.back().selector.protocol = 17;
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "another protocol";
}

TEST_F(Xfrm, WhatIsTooMuchToCompareIsUnknown) {
  XfrmView v = healthy();
  v.policies.resize(4096, v.policies[0]);
  const XfrmIndex index(v);
  const auto compared = diagnosis::judge_xfrm(facts(), s.subject().settings(), s.subject().remote(), index, s.now());
  EXPECT_LE(compared, 600'000U);
  EXPECT_FALSE(s.is_not(FactId::policy_conflict));
  v.policies.push_back(policy("10.1.0.0/16", "10.2.0.0/16", kOther));
  keeps_saying(v);
  EXPECT_THAT(s.active(), ElementsAre("flow_conflict")) << "what is found before is";
}

TEST_F(Xfrm, PortsAndLinksKeepSelectorsApart) {
  host::XfrmSelector a = policy("10.1.0.0/24", "10.2.0.0/24").selector;
  host::XfrmSelector b = a;
  EXPECT_TRUE(overlap(a, b) && contains(a, b));
  b.destination_port = {443, 0xffff};
  EXPECT_TRUE(overlap(a, b) && contains(a, b));
  EXPECT_FALSE(contains(b, a));
  a.destination_port = {80, 0xffff};
  EXPECT_FALSE(overlap(a, b));
  a.destination_port = b.destination_port;
  a.link = 3;
  b.link = 4;
  EXPECT_FALSE(overlap(a, b));
}

TEST_F(Xfrm, ThePeerItselfIsSentIntoTheTunnel) {
  XfrmView v = healthy();
  v.policies.push_back(policy("192.0.2.0/24", "198.51.100.0/24"));
  keeps_saying(v);
  s.up(at + 1);
  EXPECT_THAT(s.active(), IsEmpty()) << "the daemon's own packets may pass";
  trouble();
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("flow_overlap"));
  EXPECT_EQ(s.evidence_of("flow_overlap"),
            "the policy 192.0.2.0/24 -> 198.51.100.0/24 sends packets for the peer 198.51.100.20 itself into the "
            "tunnel, and none lets them pass");
  for (const std::uint8_t protocol : {std::uint8_t{0}, std::uint8_t{17}}) {
    v.policies.push_back(bypass("192.0.2.10/32", "198.51.100.20/32", 10));
    v.policies.back().selector.protocol = protocol;
    says(v);
    EXPECT_THAT(s.active(), IsEmpty()) << "they are let pass";
    v.policies.back().priority = kPriority + 1;
    says(v);
    EXPECT_THAT(s.active(), ElementsAre("flow_overlap")) << "a bypass that comes too late";
    v.policies.pop_back();
  }
}

TEST_F(Xfrm, AProtectedSubnetAroundThePeerIsNoOverlapWhereOurOwnAddressIsNotInIt) {
  trouble();
  XfrmView v = healthy();
  v.policies[0] = policy("10.1.0.0/24", "0.0.0.0/0");
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty());
  v.policies[0] = policy("0.0.0.0/0", "0.0.0.0/0");
  v.policies[0].mark.interface_id = 7;
  keeps_saying(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "only what is routed to an interface";
}

TEST_F(Xfrm, AnSaInTransportModeCarriesNoSubnets) {
  XfrmView v = healthy();
  for (auto& sa : v.states) sa.mode = XfrmMode::transport;
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("encapsulation_mode_mismatch"));
  EXPECT_EQ(s.evidence_of("encapsulation_mode_mismatch"),
            "the kernel's SA 0x00001000 (192.0.2.10 -> 198.51.100.20) is in transport mode");
  v.states[1].mode = XfrmMode::tunnel;
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("encapsulation_mode_mismatch"));
  EXPECT_EQ(s.evidence_of("encapsulation_mode_mismatch"),
            "the kernel's SA 0x00001000 (192.0.2.10 -> 198.51.100.20) is in transport mode and 0x00002000 "
            "(198.51.100.20 -> 192.0.2.10) in tunnel mode");
}

TEST_F(Xfrm, TransportModeIsRightAroundGreAndUnderCompression) {
  XfrmView v = healthy();
  for (auto& sa : v.states) sa.mode = XfrmMode::transport;
  v.policies[0].selector.protocol = 47;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "GRE";
  v.policies[0].selector.protocol = 0;
  v.states.push_back(state(kSelf, kPeer, 0x55));
  v.states.back().protocol = host::kProtocolComp;
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "IPComp has the tunnel mode";
  v.states.pop_back();
  v.states.push_back(state(kSelf, kPeer, 0x1001));
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "one of each: two children";
  v.states.assign(1, state(kSelf, kPeer, 0x1000, XfrmMode::transport));
  says(v);
  EXPECT_THAT(s.active(), IsEmpty()) << "the other direction is not there yet";
}

TEST_F(Xfrm, AnSaEndsAtItsHardLimitWithoutASuccessor) {
  XfrmView v = healthy();
  says(v);
  expiries.on_expired(v.states[0], v, s.now());
  XfrmView after = v;
  after.states.erase(after.states.begin());
  says(after);
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry"));
  EXPECT_EQ(s.evidence_of("phase2_hard_expiry"),
            "the kernel's SA 0x00001000 (192.0.2.10 -> 198.51.100.20) ended at its hard limit of 3600 s without a "
            "successor");
  after.states.push_back(state(kSelf, kPeer, 0));
  after.states.back().algorithms.clear();
  says(after);
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry")) << "traffic waits for it, and nobody makes it";
  says({.policies = {}, .states = {}, .complete = true});
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry")) << "the daemon took its policies away";
  after.states.back() = state(kSelf, kPeer, 0x1001);
  after.states.back().request = 9;
  says(after);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Xfrm, TheLimitThatItEndedAtIsTold) {
  XfrmView v = healthy();
  v.states[0].hard = {5000, 40, 3600, 0};
  v.states[0].packets = 40;
  expiries.on_expired(v.states[0], v, s.now());
  says({});
  EXPECT_THAT(s.evidence_of("phase2_hard_expiry"), testing::HasSubstr("hard limit of 40 packets"));
  v.states[0].packets = 3;
  v.states[0].bytes = 5001;
  expiries.clear();
  expiries.on_expired(v.states[0], v, s.now() + std::chrono::seconds(1));
  says({});
  EXPECT_THAT(s.evidence_of("phase2_hard_expiry"), testing::HasSubstr("hard limit of 5000 bytes"));
}

TEST_F(Xfrm, AnOldSaMayEndBesideItsSuccessor) {
  XfrmView v = healthy();
  v.states.push_back(state(kSelf, kPeer, 0x1001));  // of the same request: it was rekeyed
  says(v);
  expiries.on_expired(v.states[0], v, s.now());
  v.states.erase(v.states.begin());
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Xfrm, AnotherChildIsNoSuccessor) {
  XfrmView v = healthy();
  v.states.push_back(state(kSelf, kPeer, 0x1001));
  v.states.back().request = 2;
  says(v);
  expiries.on_expired(v.states[0], v, s.now());
  v.states.erase(v.states.begin());
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry"));
}

TEST_F(Xfrm, AmongVeryManyASuccessorIsNotTold) {
  XfrmView v = healthy();
  v.states.resize(2 + HardExpiries::kMaxBeside, v.states[0]);
  expiries.on_expired(v.states[0], v, s.now());
  says({});
  EXPECT_THAT(s.active(), IsEmpty());
  v.states.resize(1 + HardExpiries::kMaxBeside);
  expiries.on_expired(v.states[0], v, s.now());
  says({});
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry"));
}

TEST_F(Xfrm, WhatOnlyReservedAnSpiMayEnd) {
  XfrmView v = healthy();
  XfrmState larval = state(kSelf, kPeer, 0x9999);
  larval.algorithms.clear();
  v.states.push_back(larval);
  says(v);
  expiries.on_expired(larval, v, s.now());
  larval.spi = 0;
  expiries.on_expired(larval, v, s.now());
  expiries.on_expired(state(kSelf, kOther, 0x77), v, s.now());  // nobody knew it
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Xfrm, AChildThatWasMadeSinceEndsTheMatter) {
  XfrmView v = healthy();
  expiries.on_expired(v.states[0], v, s.now());
  says({});
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry"));
  s.up(at + 100);
  says({});
  EXPECT_THAT(s.active(), IsEmpty()) << "by another kernel interface";
}

TEST_F(Xfrm, AnExpiryIsHistoryAfterAnHourAndTheListIsBounded) {
  const XfrmView v = healthy();
  for (std::size_t i = 0; i <= 2 * HardExpiries::kMax; ++i) expiries.on_expired(v.states[i % 2], v, s.now());
  says({});
  EXPECT_THAT(s.active(), ElementsAre("phase2_hard_expiry"));
  expiries.settle({}, s.now() + HardExpiries::kKept);
  expiries.judge(facts(), kPeer);
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Xfrm, WhatCannotBeAskedAnyMoreIsForgotten) {
  XfrmView v = healthy();
  for (auto& sa : v.states) sa.mode = XfrmMode::transport;
  expiries.on_expired(v.states[0], v, s.now());
  says(v);
  ASSERT_EQ(s.active().size(), 2U);
  diagnosis::forget_xfrm(facts());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

class UnknownSpi : public Xfrm {
 protected:
  // Seconds [from, to) of the peer's ESP, with what the kernel counted meanwhile.
  void receives(int from, int to, const XfrmView& v, std::uint64_t dropped, bool live = true, bool in_udp = false) {
    const XfrmIndex index(v);
    for (int second = from; second < to; ++second) {
      s.pass(1000 * second);
      passive::EspStreamSummary stream;
      stream.source = kPeer;
      stream.destination = kSelf;
      stream.spi = 0x2000;
      stream.live = live;
      stream.in_udp = in_udp;
      stream.last = s.now();
      diagnosis::judge_unknown_spi(facts(), {&stream, 1}, index, {s.now() - std::chrono::seconds(1), s.now(), dropped});
      s.watch().settle(s.now());
    }
  }
  static XfrmView without_state() {
    XfrmView v = healthy();
    v.states.pop_back();
    return v;
  }
};

TEST_F(UnknownSpi, ThePeerSendsForAnSaThatIsGone) {
  receives(1, 3, without_state(), 1);
  EXPECT_THAT(s.active(), IsEmpty()) << "the last packets of an SA that was deleted";
  receives(3, 6, without_state(), 1);
  EXPECT_THAT(s.active(), ElementsAre("receive_invalid_spi_notify"));
  EXPECT_EQ(s.evidence_of("receive_invalid_spi_notify"),
            "198.51.100.20 sends ESP with SPI 0x00002000, which no SA of the kernel has, and XfrmInNoStates rises");
  EXPECT_EQ(s.confidence_of("receive_invalid_spi_notify"), "likely");
  receives(6, 13, healthy(), 0);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(UnknownSpi, WhatTheKernelDoesNotDropHasItsState) {
  receives(1, 8, without_state(), 0);
  EXPECT_THAT(s.active(), IsEmpty()) << "the count stands still: the states were read too early";
  receives(8, 16, healthy(), 5);
  EXPECT_THAT(s.active(), IsEmpty()) << "it rises for others";
  receives(16, 24, without_state(), 5, false);
  EXPECT_THAT(s.active(), IsEmpty()) << "forged: no stream";
  XfrmView part = without_state();
  part.complete = false;
  receives(24, 32, part, 5);
  EXPECT_THAT(s.active(), IsEmpty()) << "not all states were read";
}

TEST_F(UnknownSpi, APeerThatTheKernelDoesNotServeMayBeServedInUserSpace) {
  const XfrmView nothing{.policies = {}, .states = {}, .complete = true};
  receives(1, 8, nothing, 5, true, true);
  EXPECT_THAT(s.active(), IsEmpty()) << "ESP in UDP";
  receives(8, 16, nothing, 5);
  EXPECT_THAT(s.active(), ElementsAre("receive_invalid_spi_notify"));
  EXPECT_EQ(s.confidence_of("receive_invalid_spi_notify"), "possible");
  s.up(16'000);
  receives(17, 20, nothing, 5);
  EXPECT_THAT(s.active(), IsEmpty()) << "the tunnel works";
}

TEST_F(UnknownSpi, APauseIsNoEnd) {
  receives(1, 6, without_state(), 1);
  ASSERT_THAT(s.active(), ElementsAre("receive_invalid_spi_notify"));
  receives(6, 9, without_state(), 0);
  EXPECT_THAT(s.active(), ElementsAre("receive_invalid_spi_notify"));
}

}  // namespace
}  // namespace tunnelwatch
