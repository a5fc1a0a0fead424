#include "tests/support/ike_v2_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What a refused proposal is told with: both ends' offers and the configuration, compared.
namespace tunnelwatch {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Suite kStrong{};                       // AES-256, SHA-256, MODP 2048
constexpr Suite kWeak{12, 128, 2, 2, 2};         // AES-128, SHA-1, MODP 1024
constexpr Suite kOtherGroup{12, 256, 5, 12, 2};  // as kStrong, with MODP 1024

class Offers : public testing::Test {
 protected:
  void expect(std::vector<std::string> proposals) {
    config::Tunnel t;
    t.name = "cloud";
    t.local = IpAddress(IkeScript::kLocal);
    t.remote = {IkeScript::kRemote.to_string(), IkeScript::kRemote};
    t.ike = std::move(proposals);
    script_.watch().configure({t});
  }
  void refused(int ms, const Suite& ours, std::uint64_t spi = kSpiI) {
    RawMessage ask = init_request(ours);
    RawMessage refusal = response(wire::ike_sa_init, 0, {notify_v2(14)});
    ask.spi_i = refusal.spi_i = spi;
    refusal.spi_r = 0;
    script_.ike(ms, From::local, ask);
    script_.ike(ms + 10, From::remote, refusal);
  }
  void peer_asks(int ms, const Suite& theirs) {
    RawMessage ask = init_request(theirs);
    ask.spi_i = 0x77;
    script_.ike(ms, From::remote, ask);
  }
  exporters::TunnelReport told() { return script_.watch().report(WallClock::of_capture_file()).front(); }
  // The evidence of the refused proposal but for the refusal itself.
  std::vector<std::string> evidence() {
    for (const auto& c : told().causes) {
      if (c.cause != "phase1_proposal_mismatch") continue;
      std::vector<std::string> texts;
      for (const auto& e : c.evidence) {
        EXPECT_NE(e.zh, "");
        texts.push_back(e.en);
      }
      if (!texts.empty()) texts.erase(texts.begin());
      return texts;
    }
    return {"no such cause"};
  }
  std::vector<std::string> parts() {
    const auto r = told();
    return {r.offers_differ.begin(), r.offers_differ.end()};
  }

  IkeScript script_;
};

TEST_F(Offers, TheDifferenceStandsInTheEvidence) {
  peer_asks(0, kWeak);
  refused(100, kStrong);
  EXPECT_THAT(evidence(),
              ElementsAre("encryption: this gateway offers AES_CBC-256; the peer offers AES_CBC-128; PRF: this gateway "
                          "offers PRF_HMAC_SHA2_256; the peer offers PRF_HMAC_SHA1; integrity: this gateway offers "
                          "HMAC_SHA2_256_128; the peer offers HMAC_SHA1_96; DH group: this gateway offers MODP_2048; "
                          "the peer offers MODP_1024"));
  EXPECT_THAT(parts(), ElementsAre("encryption", "prf", "integrity", "dh_group"));
}

TEST_F(Offers, ThePeersIsNotSeenUntilItAsksItself) {
  refused(0, kStrong);
  EXPECT_THAT(evidence(), ElementsAre(HasSubstr("what the peer would offer was not seen")));
  EXPECT_THAT(parts(), IsEmpty());
  peer_asks(1000, kOtherGroup);
  EXPECT_THAT(evidence(), ElementsAre("DH group: this gateway offers MODP_2048; the peer offers MODP_1024"));
  EXPECT_THAT(parts(), ElementsAre("dh_group"));
}

TEST_F(Offers, OursIsNotSeenWhereWeRefuse) {
  peer_asks(0, kWeak);
  RawMessage refusal = response(wire::ike_sa_init, 0, {notify_v2(14)});
  refusal.spi_i = 0x77;
  refusal.spi_r = 0;
  script_.ike(10, From::local, refusal);
  EXPECT_THAT(evidence(), ElementsAre(HasSubstr("what this gateway would offer was not seen")));
}

TEST_F(Offers, TheEndThatDepartsFromTheConfigurationIsNamed) {
  expect({"aes256-sha256-modp2048"});
  peer_asks(0, kOtherGroup);
  refused(100, kStrong);
  EXPECT_THAT(evidence(), ElementsAre("DH group: this gateway offers MODP_2048; the peer offers MODP_1024",
                                      "DH group: the configuration expects MODP_2048; the peer offers MODP_1024"));
  EXPECT_THAT(told().offers.differences, ElementsAre("DH group: local offers MODP_2048; remote offers MODP_1024",
                                                     "DH group: configured MODP_2048; remote offers MODP_1024"));
  refused(1000, kWeak, 0x99);
  EXPECT_THAT(evidence(),
              testing::Contains(HasSubstr("the configuration expects AES_CBC-256; this gateway offers AES_CBC-128")));
}

TEST_F(Offers, AnotherExpectationIsComparedAtOnce) {
  expect({"aes256-sha256-modp2048"});
  refused(0, kStrong);
  EXPECT_THAT(evidence(), ElementsAre(HasSubstr("was not seen")));
  expect({"aes128-sha256-modp2048"});
  refused(1000, kStrong, 0x99);
  EXPECT_THAT(evidence(),
              ElementsAre(HasSubstr("was not seen"),
                          "encryption: the configuration expects AES_CBC-128; this gateway offers AES_CBC-256"));
}

TEST_F(Offers, WhatIsAcceptedIsNoDifference) {
  expect({"aes128-sha1-modp1024"});
  peer_asks(0, kWeak);
  refused(100, kStrong);
  EXPECT_THAT(parts(), testing::Not(IsEmpty()));
  connect(script_, 1000, kWeak);
  script_.esp(2000, From::local, 5);
  script_.esp(2000, From::remote, 5);
  EXPECT_THAT(script_.active(), IsEmpty());
  EXPECT_THAT(parts(), IsEmpty());
  EXPECT_THAT(told().offers.differences, IsEmpty());
}

TEST_F(Offers, NothingIsLeftOfARefusalThatEndsRightBehindAReload) {
  expect({"aes256-sha256-modp2048"});
  peer_asks(0, kOtherGroup);
  refused(100, kStrong);
  EXPECT_THAT(parts(), ElementsAre("dh_group"));
  RawMessage ask = init_request(kStrong);
  RawMessage accepted = init_response(kStrong);
  ask.spi_i = accepted.spi_i = 0x99;
  script_.ike(1000, From::local, ask);
  EXPECT_THAT(parts(), ElementsAre("dh_group"));
  expect({"aes128-sha256-modp2048"});
  script_.ike(1010, From::remote, accepted);
  EXPECT_THAT(script_.active(), IsEmpty());
  EXPECT_THAT(parts(), IsEmpty());
}

TEST_F(Offers, ATunnelThatIsUpOtherwiseThanConfiguredIsNoFault) {
  expect({"aes128-sha1-modp1024"});
  connect(script_);
  script_.esp(1000, From::local, 5);
  script_.esp(1000, From::remote, 5);
  EXPECT_THAT(script_.active(), IsEmpty());
  EXPECT_THAT(told().offers.differences,
              testing::Contains("encryption: configured AES_CBC-128; local offers AES_CBC-256"));
}

}  // namespace
}  // namespace tunnelwatch
