#include "config/ike_proposal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P2(Is, type, id, "") { return arg.type == type && arg.id == id; }
MATCHER_P3(Is, type, id, bits, "") { return arg.type == type && arg.id == id && arg.key_bits == bits; }

TEST(IkeProposal, NamesEachAlgorithmAndThePrfOfTheIntegrity) {
  EXPECT_THAT(parse_proposal("aes256-sha256-modp2048"), ElementsAre(Is(1, 12, 256), Is(3, 12), Is(4, 14), Is(2, 5)));
  EXPECT_THAT(parse_proposal("3des-md5-modp1024"), ElementsAre(Is(1, 3), Is(3, 1), Is(4, 2), Is(2, 1)));
  EXPECT_THAT(parse_proposal("aes128-aes256-sha1-sha384-ecp256"),
              ElementsAre(Is(1, 12, 128), Is(1, 12, 256), Is(3, 2), Is(3, 13), Is(4, 19), Is(2, 2), Is(2, 6)));
}

TEST(IkeProposal, APrfOfItsOwnStands) {
  EXPECT_THAT(parse_proposal("aes128-sha256-prfsha384-modp2048"),
              ElementsAre(Is(1, 12, 128), Is(3, 12), Is(2, 6), Is(4, 14)));
}

TEST(IkeProposal, AuthenticatedEncryptionTellsNoPrf) {
  EXPECT_THAT(parse_proposal("aes256gcm16-ecp384"), ElementsAre(Is(1, 20, 256), Is(4, 20)));
  EXPECT_THAT(parse_proposal("chacha20poly1305-x25519"), ElementsAre(Is(1, 28), Is(4, 31)));
}

TEST(IkeProposal, ModesHaveTheirLengthsInBitsAndInOctets) {
  for (const auto* word : {"aes192gcm16", "aes192gcm128"}) EXPECT_EQ(parse_algorithm(word)->id, 20) << word;
  for (const auto* word : {"aes192ccm8", "aes192ccm64"}) EXPECT_EQ(parse_algorithm(word)->id, 14) << word;
  EXPECT_EQ(parse_algorithm("aes")->key_bits, 128);
  EXPECT_EQ(parse_algorithm("camellia256")->id, 23);
}

TEST(IkeProposal, Version1HasNumbersOfItsOwn) {
  EXPECT_EQ(parse_algorithm("aes256")->id_v1, 7);
  EXPECT_EQ(parse_algorithm("sha256")->id_v1, 4);
  EXPECT_EQ(parse_algorithm("aes256gcm16")->id_v1, 0);
}

TEST(IkeProposal, FurtherKeyExchangesAreNotTheFirst) {
  EXPECT_THAT(parse_proposal("aes256gcm16-x25519-ke1_mlkem768"), ElementsAre(Is(1, 20, 256), Is(4, 31), Is(6, 36)));
  EXPECT_FALSE(parse_algorithm("ke1_sha256"));
  EXPECT_FALSE(parse_algorithm("ke8_mlkem768"));
}

TEST(IkeProposal, WhatIsNoAlgorithmIsNone) {
  for (const auto* word : {"", "aes257", "aes2567", "AES256", "sha", "modp", "aes128gcm7", "ke1_"}) {
    EXPECT_EQ(parse_algorithm(word).has_value(), std::string_view(word) == "sha") << word;
  }
  EXPECT_THAT(parse_proposal("--"), IsEmpty());
  EXPECT_EQ(nearest_algorithm("modp2084"), "modp2048");
  EXPECT_EQ(nearest_algorithm("aes265"), "aes256");
  EXPECT_EQ(nearest_algorithm("zzzzzzzzzz"), "");
}

}  // namespace
}  // namespace tunnelwatch::config
