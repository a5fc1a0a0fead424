#include "agent/diagnosis/log_proposals.h"

#include "agent/diagnosis/log_hit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What charon's log says of the proposals that it refuses, against each other and against the configuration.
namespace tunnelwatch::diagnosis {
namespace {

using namespace std::chrono_literals;
using passive::OfferPart;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const TimePoint kNow = TimePoint{} + 1h;

constexpr std::string_view kReceived =
    "10[CFG] <cloud|1> received proposals: ESP:AES_CBC_128/HMAC_SHA1_96/NO_EXT_SEQ, "
    "ESP:AES_GCM_16_128/NO_EXT_SEQ";
constexpr std::string_view kConfigured =
    "10[CFG] <cloud|1> configured proposals: ESP:AES_CBC_256/HMAC_SHA2_256_128/MODP_2048/NO_EXT_SEQ";
constexpr std::string_view kRefused = "10[IKE] <cloud|1> no acceptable proposal found";

const std::vector<std::string>& part(const passive::OfferSuite& suite, OfferPart part) {
  return suite.parts[static_cast<std::size_t>(part)];
}

std::optional<LogHit> read(LogReader& reader, std::initializer_list<std::string_view> lines, TimePoint at = kNow) {
  std::optional<LogHit> hit;
  for (const auto line : lines) hit = reader.read(line, at);
  return hit;
}

config::Tunnel tunnel(std::vector<std::string> esp, std::vector<std::string> ike = {}) {
  config::Tunnel t;
  t.esp = std::move(esp);
  t.ike = std::move(ike);
  return t;
}

TEST(LogProposals, WordsAreThoseOfTheRegistries) {
  const auto suite = suite_of_log(
      "AES_CBC_256/CAMELLIA_CBC_192/3DES_CBC/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048/"
      "CURVE_25519/ECP_256/NO_EXT_SEQ");
  EXPECT_THAT(part(suite, OfferPart::encryption), ElementsAre("AES_CBC-256", "CAMELLIA_CBC-192", "3DES"));
  EXPECT_THAT(part(suite, OfferPart::integrity), ElementsAre("HMAC_SHA2_256_128"));
  EXPECT_THAT(part(suite, OfferPart::prf), ElementsAre("PRF_HMAC_SHA2_256"));
  EXPECT_THAT(part(suite, OfferPart::dh_group), ElementsAre("MODP_2048", "CURVE_25519", "ECP_256"));
  EXPECT_THAT(part(suite_of_log("//"), OfferPart::encryption), IsEmpty());
}

TEST(LogProposals, AHostileLineStaysBounded) {
  std::string proposal;
  for (int i = 0; i < 1000; ++i) proposal += "/X" + std::to_string(i);
  EXPECT_LE(part(suite_of_log(proposal), OfferPart::encryption).size(), kMaxLoggedAlgorithms);
  std::string list = "10[CFG] received proposals: ";
  for (int i = 0; i < 200; ++i) list += "ESP:AES_CBC_128, ";
  LogReader reader;
  const auto hit = read(reader, {list, "10[IKE] no acceptable proposal found"});
  ASSERT_TRUE(hit && hit->proposals);
  EXPECT_LE(hit->proposals->received.size(), kMaxLoggedProposals);
}

TEST(LogProposals, ARefusalKnowsWhatWasListedBefore) {
  LogReader reader;
  const auto hit = read(reader, {kReceived, kConfigured, kRefused});
  ASSERT_TRUE(hit && hit->proposals);
  EXPECT_EQ(hit->match.cause, Cause::phase2_proposal_or_pfs_mismatch);
  const auto text = compare(*hit->proposals, tunnel({}));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->en,
            "encryption: the peer offers AES_CBC-128, AES_GCM_16-128; this gateway accepts AES_CBC-256; integrity: the "
            "peer offers HMAC_SHA1_96; this gateway accepts HMAC_SHA2_256_128");
  EXPECT_THAT(text->zh, HasSubstr("对端提议 AES_CBC-128"));
}

TEST(LogProposals, TheConfigurationTellsWhichEndDeparts) {
  LogReader reader;
  const auto hit = read(reader, {kReceived, kConfigured, kRefused});
  ASSERT_TRUE(hit && hit->proposals);
  const auto peer_departs = compare(*hit->proposals, tunnel({"aes256-sha256-modp2048"}));
  ASSERT_TRUE(peer_departs);
  EXPECT_THAT(peer_departs->en, HasSubstr("the configuration expects AES_CBC-256; the peer offers AES_CBC-128"));
  EXPECT_THAT(peer_departs->en, Not(HasSubstr("the configuration expects AES_CBC-256; this gateway accepts")));
  const auto gateway_departs = compare(*hit->proposals, tunnel({"aes128-sha1"}));
  ASSERT_TRUE(gateway_departs);
  EXPECT_THAT(gateway_departs->en,
              HasSubstr("the configuration expects AES_CBC-128; this gateway accepts AES_CBC-256"));
  EXPECT_THAT(gateway_departs->en, Not(HasSubstr("the configuration expects AES_CBC-128; the peer offers")));
}

TEST(LogProposals, OfAnIkeSaTheConfiguredIkeCounts) {
  LogReader reader;
  const auto hit =
      read(reader, {"08[CFG] received proposals: IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256",
                    "08[CFG] configured proposals: IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256",
                    "08[IKE] received proposals unacceptable"});
  ASSERT_TRUE(hit && hit->proposals);
  EXPECT_FALSE(hit->proposals->of_child);
  const auto text = compare(*hit->proposals, tunnel({"3des-md5"}, {"aes256-sha256-ecp256"}));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->en,
            "encryption: the peer offers AES_CBC-128; this gateway accepts AES_CBC-256; encryption: the "
            "configuration expects AES_CBC-256; the peer offers AES_CBC-128");
}

TEST(LogProposals, WhatIsNotOfThisRefusalIsNotToldWithIt) {
  {
    LogReader reader;
    const auto hit = read(reader, {kReceived, kConfigured, "11[IKE] <other|2> no acceptable proposal found"});
    ASSERT_TRUE(hit);
    EXPECT_FALSE(hit->proposals) << "another thread";
  }
  {
    LogReader reader;
    read(reader, {kReceived, kConfigured});
    const auto hit = read(reader, {kRefused}, kNow + 3s);
    ASSERT_TRUE(hit);
    EXPECT_FALSE(hit->proposals) << "long ago";
  }
  {
    LogReader reader;
    const auto hit = read(reader, {kReceived, kConfigured, "10[IKE] <cloud|1> received proposals unacceptable"});
    ASSERT_TRUE(hit);
    EXPECT_FALSE(hit->proposals) << "a refusal of the IKE SA, and ESP was listed";
  }
  {
    LogReader reader;
    const auto hit = read(reader, {kReceived, kConfigured, "10[IKE] <cloud|1> giving up after 5 retransmits"});
    ASSERT_TRUE(hit);
    EXPECT_FALSE(hit->proposals) << "no refusal";
  }
}

TEST(LogProposals, WhatFitsIsNoDifference) {
  LogReader reader;
  const auto hit = read(reader, {"10[CFG] <cloud|1> received proposals: ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ",
                                 kConfigured, kRefused});
  ASSERT_TRUE(hit && hit->proposals);
  EXPECT_FALSE(compare(*hit->proposals, tunnel({"aes256-sha256-modp2048"})));
}

TEST(LogProposals, AChildThatStandsIsComparedWithTheConfiguredEsp) {
  const auto strange = compare_child("AES_CBC_128/HMAC_SHA1_96", tunnel({"aes256-sha256-modp2048", "aes256gcm16"}));
  ASSERT_TRUE(strange);
  EXPECT_EQ(strange->en,
            "encryption: the configuration expects AES_CBC-256, AES_GCM_16-256; the child SA uses "
            "AES_CBC-128; integrity: the configuration expects HMAC_SHA2_256_128; the child SA uses "
            "HMAC_SHA1_96");
  EXPECT_FALSE(compare_child("AES_GCM_16_256/MODP_2048", tunnel({"aes256-sha256-modp2048", "aes256gcm16"})));
  EXPECT_FALSE(compare_child("AES_CBC_128/HMAC_SHA1_96", tunnel({})));
  EXPECT_FALSE(compare_child("", tunnel({"aes256"}))) << "nothing is known";
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
