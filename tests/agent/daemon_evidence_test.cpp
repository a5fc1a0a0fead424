#include "agent/diagnosis/daemon_evidence.h"

#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What the IKE daemon is told to do, against the configuration, to the verdict.
namespace tunnelwatch {
namespace {

using diagnosis::covered;
using diagnosis::FactId;
using host::DaemonChild;
using host::DaemonView;
using test::TrafficScript;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<IpPrefix> subnets(std::initializer_list<const char*> texts) {
  std::vector<IpPrefix> out;
  for (const char* text : texts) out.push_back(*IpPrefix::parse(text));
  return out;
}

DaemonChild child(std::initializer_list<const char*> local, std::initializer_list<const char*> remote,
                  const char* state = "") {
  DaemonChild c;
  c.name = "net";
  c.state = state;
  c.local.subnets = subnets(local);
  c.remote.subnets = subnets(remote);
  return c;
}

// One connection to the tunnel's peer, and, where it has one, its SA.
DaemonView view(std::vector<DaemonChild> configured, std::optional<std::vector<DaemonChild>> installed = std::nullopt) {
  DaemonView v;
  v.connections.push_back({"tun", {TrafficScript::kRemote}, std::move(configured)});
  if (installed) v.sas.push_back({"tun", "ESTABLISHED", TrafficScript::kLocal, TrafficScript::kRemote, *installed});
  return v;
}

class Daemon : public testing::Test {
 protected:
  void says(const DaemonView& v) {
    s.pass(at += 1000);
    diagnosis::judge_daemon(s.subject().evidence().facts(), s.subject().settings(), s.subject().remote(), v, s.now());
    s.watch().settle(s.now());
  }
  TrafficScript s;  // 10.1.0.0/24 to 10.2.0.0/24
  int at = 0;
};

TEST_F(Daemon, TheSameOnBothSidesIsNoCause) {
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}));
  EXPECT_THAT(s.active(), IsEmpty());
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}, {{child({"10.1.0.0/24"}, {"10.2.0.0/24"}, "INSTALLED")}}));
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_TRUE(s.is_not(FactId::daemon_selectors_absent));
}

TEST_F(Daemon, WhatCoversMoreOrInPartsCovers) {
  says(view({child({"0.0.0.0/0"}, {"0.0.0.0/0"})}, {{child({"0.0.0.0/0"}, {"0.0.0.0/0"}, "INSTALLED")}}));
  EXPECT_THAT(s.active(), IsEmpty());
  says(view({child({"10.1.0.0/25"}, {"10.0.0.0/8"}), child({"10.1.0.128/25"}, {"10.2.0.0/24"})}));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, ASubnetThatIsNotThere) {
  says(view({child({"10.1.0.0/24"}, {"10.9.0.0/24"})}));
  EXPECT_THAT(s.active(), ElementsAre("policy_rules_not_mirrored"));
  EXPECT_EQ(s.evidence_of("policy_rules_not_mirrored"),
            "the IKE daemon's connection tun does not cover 10.2.0.0/24: its remote_ts is 10.9.0.0/24");
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, ASubnetThatIsThereInPart) {
  says(view({child({"10.1.0.7/32"}, {"10.2.0.0/24"})}));
  EXPECT_THAT(s.active(), ElementsAre("interesting_flow_uses_address_group"));
  auto limited = child({"10.1.0.0/24"}, {});
  limited.remote.narrowed = subnets({"10.2.0.0/24"});
  says(view({limited}));
  EXPECT_THAT(s.active(), ElementsAre("interesting_flow_uses_address_group"));
}

TEST_F(Daemon, ThePeerNarrows) {
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}, {{child({"10.1.0.0/24"}, {"10.2.0.0/25"}, "INSTALLED")}}));
  EXPECT_THAT(s.active(), ElementsAre("netmask_mismatch"));
  EXPECT_EQ(s.evidence_of("netmask_mismatch"),
            "the IPsec SA carries only 10.2.0.0/25 of the remote subnet 10.2.0.0/24");
}

// A child that stands works with whatever both ends agreed on: a difference to be told, and no cause.
TEST(DaemonSuite, OneThatIsNotExpectedIsADifferenceInTheReport) {
  auto settings = TrafficScript::tunnel();
  settings.esp = {"aes256gcm16-modp2048"};
  TrafficScript s(settings);
  const auto says = [&](const char* suite) {
    auto installed = child({"10.1.0.0/24"}, {"10.2.0.0/24"}, "INSTALLED");
    installed.suite = suite;
    diagnosis::judge_daemon(s.subject().evidence().facts(), s.subject().settings(), s.subject().remote(),
                            view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}, {{installed}}), s.now());
    s.watch().settle(s.now());
    return s.watch().report(WallClock::of_capture_file()).at(0).offers.differences;
  };
  EXPECT_THAT(says("AES_CBC_256/HMAC_SHA2_256_128"),
              ElementsAre("encryption: the configuration expects AES_GCM_16-256; the child SA uses AES_CBC-256"));
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(says("AES_GCM_16_256/MODP_2048"), IsEmpty());
}

TEST_F(Daemon, OneChildOfTwoThatIsUpIsNotNarrowed) {
  auto other = child({"10.1.0.0/24"}, {"10.2.0.128/25"});
  other.name = "other";
  says(
      view({child({"10.1.0.0/24"}, {"10.2.0.0/25"}), other}, {{child({"10.1.0.0/24"}, {"10.2.0.0/25"}, "INSTALLED")}}));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, ARekeyThatIsUnderWayIsNotNarrowed) {
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}, {{child({"10.1.0.0/24"}, {"10.2.0.0/24"}, "INSTALLED"),
                                                         child({"10.1.0.0/24"}, {"10.2.0.0/25"}, "REKEYED")}}));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, TransportModeIsACauseOnlyWhereTheChildFails) {
  auto transport = child({"10.1.0.0/24"}, {"10.2.0.0/24"});
  transport.transport_mode = true;
  says(view({transport}));
  EXPECT_THAT(s.active(), IsEmpty());
  auto installed = transport;
  installed.state = "INSTALLED";
  says(view({transport}, {{installed}}));
  EXPECT_THAT(s.active(), IsEmpty());
  says(view({transport}, std::vector<DaemonChild>{}));
  EXPECT_THAT(s.active(), ElementsAre("encapsulation_mode_mismatch"));
}

TEST_F(Daemon, AMissingChildAloneIsNoCause) {
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}, std::vector<DaemonChild>{}));
  EXPECT_TRUE(s.is(FactId::daemon_child_missing));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, WhatIsUnclearIsUnknown) {
  says(view({child({"10.1.0.0/24"}, {"10.9.0.0/24"})}));
  ASSERT_THAT(s.active(), ElementsAre("policy_rules_not_mirrored"));
  auto range = child({"10.1.0.0/24"}, {"10.9.0.0/24"});
  range.remote.unclear = true;
  says(view({range}));
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_FALSE(s.is_not(FactId::daemon_selectors_absent));
}

TEST_F(Daemon, MessagesOfUnknownSasBearOutWhatTheWireSays) {
  const auto facts = [this]() -> diagnosis::Facts& { return s.subject().evidence().facts(); };
  says(view({child({"10.1.0.0/24"}, {"10.2.0.0/24"})}));
  diagnosis::judge_unknown_spis(facts(), 4, s.now());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), Not(Contains("invalid_cookie")));
  facts().affirm(FactId::invalid_cookie, s.now(), diagnosis::Confidence::likely, {"INVALID_IKE_SPI", ""});
  s.watch().settle(s.now());
  ASSERT_THAT(s.active(), ElementsAre("invalid_cookie"));
  const auto& evidence = s.subject().verdict().ranked().front()->evidence;
  ASSERT_EQ(evidence.size(), 2U);
  EXPECT_EQ(evidence[1].en, "the IKE daemon counted 4 more messages of IKE SAs that it does not know");
  // News for a minute.
  diagnosis::judge_unknown_spis(facts(), 0, s.now() + std::chrono::seconds(59));
  EXPECT_TRUE(s.is(FactId::daemon_unknown_spis));
  diagnosis::judge_unknown_spis(facts(), 0, s.now() + std::chrono::seconds(61));
  EXPECT_TRUE(s.is_not(FactId::daemon_unknown_spis));
}

TEST_F(Daemon, AConnectionToAnotherPeerIsNobodys) {
  DaemonView v = view({child({"10.1.0.0/24"}, {"10.9.0.0/24"})});
  v.connections[0].remote_addresses = {*IpAddress::parse("203.0.113.9")};
  says(v);
  EXPECT_THAT(s.active(), IsEmpty());
  v.connections[0].name = "cloud";  // as the tunnel is called
  says(v);
  EXPECT_THAT(s.active(), ElementsAre("policy_rules_not_mirrored"));
}

TEST_F(Daemon, NothingToAskIsNothingKnown) {
  says(view({child({"10.1.0.0/24"}, {"10.9.0.0/24"})}));
  says(DaemonView{});
  EXPECT_THAT(s.active(), IsEmpty());
  says(view({child({"10.1.0.0/24"}, {"10.9.0.0/24"})}));
  ASSERT_THAT(s.active(), Not(IsEmpty()));
  diagnosis::forget_daemon(s.subject().evidence().facts());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(Daemon, ItsNamesAreThoseOfDiscoveredTunnelsAndOfItsLog) {
  DaemonView v;
  v.connections = {{"azure", {*IpAddress::parse("203.0.113.9")}, {}},
                   {"bad name", {*IpAddress::parse("203.0.113.8")}, {}}};
  s.watch().name_peers(v);
  diagnosis::LogReader reader;
  const auto hit = reader.read("07[IKE] <azure|1> giving up after 5 retransmits", s.now());
  ASSERT_TRUE(hit);
  EXPECT_TRUE(s.watch().on_log(*hit, s.now()));
  EXPECT_NE(s.watch().find("203.0.113.9"), nullptr) << "a tunnel for the peer, which nobody has seen";
  passive::EspStreamSummary esp;
  esp.source = TrafficScript::kLocal;
  for (const char* peer : {"203.0.113.9", "203.0.113.8", "203.0.113.7"}) {
    TrafficScript fresh;
    fresh.watch().name_peers(v);
    esp.destination = *IpAddress::parse(peer);
    esp.live = true;
    fresh.watch().on_esp(esp);
    const std::string expected = std::string_view(peer) == "203.0.113.9" ? "azure" : peer;
    EXPECT_NE(fresh.watch().find(expected), nullptr) << peer;
  }
}

TEST(Covered, BySumOfParts) {
  const auto whole = *IpPrefix::parse("10.1.0.0/24");
  EXPECT_TRUE(covered(whole, subnets({"10.1.0.0/24"})));
  EXPECT_TRUE(covered(whole, subnets({"10.0.0.0/8"})));
  EXPECT_TRUE(covered(whole, subnets({"10.1.0.128/25", "10.1.0.0/26", "10.1.0.64/26"})));
  EXPECT_FALSE(covered(whole, subnets({"10.1.0.128/25", "10.1.0.0/26"})));
  EXPECT_FALSE(covered(whole, subnets({})));
  EXPECT_FALSE(covered(whole, subnets({"10.1.0.1/32"})));
  EXPECT_TRUE(covered(*IpPrefix::parse("2001:db8::/32"), subnets({"2001:db8::/33", "2001:db8:8000::/33"})));
  EXPECT_FALSE(covered(*IpPrefix::parse("2001:db8::/32"), subnets({"2001:db8::1/128", "10.0.0.0/8"})));
}

}  // namespace
}  // namespace tunnelwatch
