#include "probes/wire/ike_names.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

TEST(IkeNames, TheTablesOfTheVersionsDiffer) {
  EXPECT_EQ(notify_name_v1(16), "PAYLOAD_MALFORMED");
  EXPECT_EQ(notify_name_v2(16), "NOTIFY_16");
  EXPECT_EQ(notify_name_v1(17), "INVALID_KEY_INFORMATION");
  EXPECT_EQ(notify_name_v2(17), "INVALID_KE_PAYLOAD");
  EXPECT_EQ(payload_name_v1(5), "ID");
  EXPECT_EQ(payload_name_v2(35), "IDi");
  EXPECT_EQ(payload_name_v2(5), "PAYLOAD_5");
  EXPECT_EQ(identity_name_v1(3), "USER_FQDN");
  EXPECT_EQ(identity_name_v2(3), "RFC822_ADDR");
  EXPECT_EQ(identity_name_v1(4), "IPV4_ADDR_SUBNET");
  EXPECT_EQ(identity_name_v2(4), "ID_4");
  EXPECT_EQ(protocol_name_v1(1), "ISAKMP");
  EXPECT_EQ(protocol_name_v2(1), "IKE");
  EXPECT_EQ(attribute_name_v1(16521), "XAUTH_USER_NAME");
  EXPECT_EQ(attribute_name_v2(16521), "ATTRIBUTE_16521");
  EXPECT_EQ(encryption_name(4711), "ENCR_4711");
}

struct NameRow {
  std::uint16_t id;
  const char* name;
};

// A sample of each table by IANA's own words: first, last and what is new.
TEST(IkeNames, AsRegistered) {
  for (const auto& [id, name] : {NameRow{34, "IKE_SA_INIT"},
                                 {38, "IKE_SESSION_RESUME"},
                                 {42, "GSA_INBAND_REKEY"},
                                 {43, "IKE_INTERMEDIATE"},
                                 {44, "IKE_FOLLOWUP_KE"},
                                 {32, "QUICK_MODE"}}) {
    EXPECT_EQ(exchange_name(static_cast<std::uint8_t>(id)), name);
  }
  for (const auto& [id, name] : {NameRow{1, "UNSUPPORTED_CRITICAL_PAYLOAD"},
                                 {47, "STATE_NOT_FOUND"},
                                 {49, "REGISTRATION_FAILED"},
                                 {16403, "AUTH_LIFETIME"},
                                 {16407, "REDIRECT"},
                                 {16413, "TICKET_OPAQUE"},
                                 {16422, "IKEV2_MESSAGE_ID_SYNC"},
                                 {16435, "USE_PPK"},
                                 {16438, "INTERMEDIATE_EXCHANGE_SUPPORTED"},
                                 {16441, "ADDITIONAL_KEY_EXCHANGE"},
                                 {16446, "PPK_IDENTITY_KEY"}}) {
    EXPECT_EQ(notify_name_v2(id), name);
  }
  for (const auto& [id, name] : {NameRow{1, "MODP_768"},
                                 {4, "EC2N_185"},
                                 {14, "MODP_2048"},
                                 {19, "ECP_256"},
                                 {24, "MODP_2048_256"},
                                 {31, "CURVE_25519"},
                                 {37, "ML_KEM_1024"},
                                 {38, "GROUP_38"}}) {
    EXPECT_EQ(key_exchange_name(id), name);
  }
  EXPECT_EQ(certificate_name(12), "HASH_AND_URL_X509");
  EXPECT_EQ(authentication_name_v2(14), "DIGITAL_SIGNATURE");
  EXPECT_EQ(attribute_name_v2(25), "INTERNAL_DNS_DOMAIN");
  EXPECT_EQ(signature_hash_name(5), "IDENTITY");
  EXPECT_EQ(configuration_name(4), "CFG_ACK");
  EXPECT_EQ(encapsulation_name_v1(61443), "UDP_TUNNEL_DRAFT");
}

TEST(IkeNames, EveryGroupFrom1To37) {
  for (std::uint16_t group = 1; group <= 37; ++group) {
    EXPECT_EQ(key_exchange_name(group).find("GROUP_"), std::string::npos) << group;
  }
}

TEST(IkeNames, TransformsOfVersion2) {
  EXPECT_EQ(to_string(Transform{transform_encryption, 20, 256}), "AES_GCM_16-256");
  EXPECT_EQ(to_string(Transform{transform_additional_ke1, 36, 0}), "KE1_ML_KEM_768");
  EXPECT_EQ(to_string(Transform{transform_additional_ke7, 0, 0}), "KE7_NONE");
  EXPECT_EQ(to_string(Transform{transform_sequence_numbers, 1, 0}), "ESN");
  EXPECT_EQ(to_string(Transform{200, 7, 0}), "TRANSFORM_200_7");
  EXPECT_EQ(transform_type_name(transform_additional_ke1), "additional key exchange");
  EXPECT_EQ(transform_type_name(transform_key_wrap), "key wrap");
}

TEST(IkeNames, SuitesOfVersion1) {
  Phase1Transform t;
  t.encryption = 7;
  t.key_bits = 128;
  t.hash = 2;
  t.group = 2;
  for (const auto& [id, name] : {NameRow{1, "AES_CBC-128/SHA1/PSK/MODP_1024"},
                                 {10, "AES_CBC-128/SHA1/ECDSA_384/MODP_1024"},
                                 {64221, "AES_CBC-128/SHA1/HYBRID_INIT_RSA/MODP_1024"},
                                 {65001, "AES_CBC-128/SHA1/XAUTH_INIT_PSK/MODP_1024"},
                                 {65010, "AES_CBC-128/SHA1/XAUTH_RESP_RSA_ENC_REV/MODP_1024"},
                                 {77, "AES_CBC-128/SHA1/AUTH_77/MODP_1024"}}) {
    t.authentication = id;
    EXPECT_EQ(to_string(t), name);
  }
}

// GM/T 0022: the number 10 has another meaning beside SM algorithms.
TEST(IkeNames, SuitesOfSmAlgorithms) {
  Phase1Transform t;
  t.authentication = 10;
  t.hash = 20;
  t.asymmetric = 2;
  for (const auto& [id, name] : {NameRow{127, "SM4_CBC/SM3/SM2_ENVELOPE/NONE"},
                                 {128, "SM1_CBC/SM3/SM2_ENVELOPE/NONE"},
                                 {129, "SM4_CBC/SM3/SM2_ENVELOPE/NONE"}}) {
    t.encryption = id;
    EXPECT_EQ(to_string(t), name);
    EXPECT_TRUE(is_sm_suite(t));
  }
  EXPECT_FALSE(is_sm_suite(Phase1Transform{}));
}

}  // namespace
}  // namespace tunnelwatch::wire
