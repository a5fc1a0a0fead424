#include "probes/passive/offers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint8_t kEncryption = 1;
constexpr std::uint8_t kPrf = 2;
constexpr std::uint8_t kIntegrity = 3;
constexpr std::uint8_t kGroup = 4;

Offer v2(std::vector<wire::Transform> transforms) { return {std::move(transforms), {}}; }
Offer cbc(std::uint16_t bits, std::uint16_t group) {
  return v2({{kEncryption, 12, bits}, {kIntegrity, 12, 0}, {kPrf, 5, 0}, {kGroup, group, 0}});
}
Offer v1(std::uint16_t hash, std::uint16_t authentication, std::uint16_t bits = 128) {
  wire::Phase1Transform t;
  t.encryption = 7;
  t.key_bits = bits;
  t.hash = hash;
  t.authentication = authentication;
  t.group = 14;
  return {{}, {t}};
}

std::vector<std::string> lines(const std::vector<OfferSuite>& first, const std::vector<OfferSuite>& second) {
  std::vector<std::string> texts;
  for (const auto& d : differences(first, second)) texts.push_back(describe(d, "a", "b"));
  return texts;
}
std::vector<std::string> lines(const std::vector<Offer>& first, const std::vector<Offer>& second) {
  return lines(suites_of(first), suites_of(second));
}

TEST(Offers, NothingDiffersWhereOneProposalFits) {
  EXPECT_THAT(lines({cbc(256, 14), cbc(128, 2)}, {cbc(128, 2)}), IsEmpty());
}

TEST(Offers, EachPartWithoutACommonAlgorithmIsTold) {
  EXPECT_THAT(lines({cbc(256, 14)}, {cbc(128, 2), cbc(192, 5)}),
              ElementsAre("encryption: a AES_CBC-256; b AES_CBC-128, AES_CBC-192",
                          "DH group: a MODP_2048; b MODP_1024, MODP_1536"));
}

TEST(Offers, PartsInCommonMakeNoProposal) {
  EXPECT_THAT(lines({cbc(256, 14), cbc(128, 2)}, {cbc(256, 2), cbc(128, 14)}),
              ElementsAre(testing::StartsWith("combination")));
}

TEST(Offers, AuthenticatedEncryptionLeavesIntegrityOpen) {
  const Offer gcm = v2({{kEncryption, 20, 256}, {kPrf, 5, 0}, {kGroup, 14, 0}});
  const Offer gcm_none = v2({{kEncryption, 20, 256}, {kIntegrity, 0, 0}, {kPrf, 5, 0}, {kGroup, 14, 0}});
  EXPECT_THAT(lines({gcm}, {gcm_none}), IsEmpty());
  EXPECT_THAT(lines({gcm}, {cbc(256, 14)}), ElementsAre("encryption: a AES_GCM_16-256; b AES_CBC-256"));
}

TEST(Offers, WhatWasNeverSeenAndAnotherVersionAreNotCompared) {
  EXPECT_THAT(lines({cbc(256, 14)}, std::vector<Offer>{}), IsEmpty());
  EXPECT_THAT(lines(std::vector<Offer>{}, {cbc(256, 14)}), IsEmpty());
  EXPECT_THAT(lines({cbc(256, 14)}, {v1(2, 1)}), IsEmpty());
}

TEST(Offers, Version1IsToldInItsOwnNames) {
  EXPECT_THAT(lines({v1(2, 1)}, {v1(4, 3)}), ElementsAre("hash: a SHA1; b SHA2_256", "authentication: a PSK; b RSA"));
}

TEST(Offers, AConfiguredProposalIsComparedInTheNamesOfTheVersion) {
  const std::vector<std::string> configured{"aes256-sha256-modp2048"};
  EXPECT_THAT(lines(suites_of(configured, false), suites_of({cbc(256, 14)})), IsEmpty());
  EXPECT_THAT(lines(suites_of(configured, false), suites_of({cbc(128, 14)})),
              ElementsAre("encryption: a AES_CBC-256; b AES_CBC-128"));
  EXPECT_THAT(lines(suites_of(configured, true), suites_of({v1(4, 1, 256)})), IsEmpty());
  EXPECT_THAT(lines(suites_of(configured, true), suites_of({v1(2, 1, 256)})), ElementsAre("hash: a SHA2_256; b SHA1"));
}

TEST(Offers, ALongListIsCutAndCounted) {
  std::vector<Offer> many;
  for (std::uint16_t group = 14; group < 24; ++group) many.push_back(cbc(256, group));
  EXPECT_THAT(lines(many, {cbc(256, 2)}), ElementsAre(testing::HasSubstr("and 2 more; b MODP_1024")));
}

}  // namespace
}  // namespace tunnelwatch::passive
