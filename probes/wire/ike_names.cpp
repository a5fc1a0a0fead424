#include "probes/wire/ike_names.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace tunnelwatch::wire {

namespace {

struct Name {
  std::uint16_t id;
  std::string_view name;
};

std::string name_in(std::span<const Name> table, std::uint16_t id, std::string_view prefix) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), id, [](const Name& n, std::uint16_t v) { return n.id < v; });
  if (found != table.end() && found->id == id) return std::string(found->name);
  return fmt::format("{}_{}", prefix, id);
}

constexpr Name kExchanges[] = {
    {1, "BASE"},
    {2, "MAIN_MODE"},
    {3, "AUTH_ONLY"},
    {4, "AGGRESSIVE"},
    {5, "INFORMATIONAL"},
    {6, "TRANSACTION"},
    {32, "QUICK_MODE"},
    {33, "NEW_GROUP_MODE"},
    {34, "IKE_SA_INIT"},
    {35, "IKE_AUTH"},
    {36, "CREATE_CHILD_SA"},
    {37, "INFORMATIONAL"},
    {38, "IKE_SESSION_RESUME"},
    {39, "GSA_AUTH"},
    {40, "GSA_REGISTRATION"},
    {41, "GSA_REKEY"},
    {43, "IKE_INTERMEDIATE"},
    {44, "IKE_FOLLOWUP_KE"},
};

constexpr Name kNotifyV1[] = {
    // RFC 2408 section 3.14.1, RFC 2407 section 4.6.3, RFC 3706, vendors
    {1, "INVALID_PAYLOAD_TYPE"},
    {2, "DOI_NOT_SUPPORTED"},
    {3, "SITUATION_NOT_SUPPORTED"},
    {4, "INVALID_COOKIE"},
    {5, "INVALID_MAJOR_VERSION"},
    {6, "INVALID_MINOR_VERSION"},
    {7, "INVALID_EXCHANGE_TYPE"},
    {8, "INVALID_FLAGS"},
    {9, "INVALID_MESSAGE_ID"},
    {10, "INVALID_PROTOCOL_ID"},
    {11, "INVALID_SPI"},
    {12, "INVALID_TRANSFORM_ID"},
    {13, "ATTRIBUTES_NOT_SUPPORTED"},
    {14, "NO_PROPOSAL_CHOSEN"},
    {15, "BAD_PROPOSAL_SYNTAX"},
    {16, "PAYLOAD_MALFORMED"},
    {17, "INVALID_KEY_INFORMATION"},
    {18, "INVALID_ID_INFORMATION"},
    {19, "INVALID_CERT_ENCODING"},
    {20, "INVALID_CERTIFICATE"},
    {21, "CERT_TYPE_UNSUPPORTED"},
    {22, "INVALID_CERT_AUTHORITY"},
    {23, "INVALID_HASH_INFORMATION"},
    {24, "AUTHENTICATION_FAILED"},
    {25, "INVALID_SIGNATURE"},
    {26, "ADDRESS_NOTIFICATION"},
    {27, "NOTIFY_SA_LIFETIME"},
    {28, "CERTIFICATE_UNAVAILABLE"},
    {29, "UNSUPPORTED_EXCHANGE_TYPE"},
    {30, "UNEQUAL_PAYLOAD_LENGTHS"},
    {16384, "CONNECTED"},
    {24576, "RESPONDER_LIFETIME"},
    {24577, "REPLAY_STATUS"},
    {24578, "INITIAL_CONTACT"},
    {36136, "R_U_THERE"},
    {36137, "R_U_THERE_ACK"},
};

constexpr Name kNotifyV2[] = {
    {1, "UNSUPPORTED_CRITICAL_PAYLOAD"},
    {4, "INVALID_IKE_SPI"},
    {5, "INVALID_MAJOR_VERSION"},
    {7, "INVALID_SYNTAX"},
    {9, "INVALID_MESSAGE_ID"},
    {11, "INVALID_SPI"},
    {14, "NO_PROPOSAL_CHOSEN"},
    {17, "INVALID_KE_PAYLOAD"},
    {24, "AUTHENTICATION_FAILED"},
    {34, "SINGLE_PAIR_REQUIRED"},
    {35, "NO_ADDITIONAL_SAS"},
    {36, "INTERNAL_ADDRESS_FAILURE"},
    {37, "FAILED_CP_REQUIRED"},
    {38, "TS_UNACCEPTABLE"},
    {39, "INVALID_SELECTORS"},
    {40, "UNACCEPTABLE_ADDRESSES"},
    {41, "UNEXPECTED_NAT_DETECTED"},
    {42, "USE_ASSIGNED_HOA"},
    {43, "TEMPORARY_FAILURE"},
    {44, "CHILD_SA_NOT_FOUND"},
    {45, "INVALID_GROUP_ID"},
    {46, "AUTHORIZATION_FAILED"},
    {47, "STATE_NOT_FOUND"},
    {48, "TS_MAX_QUEUE"},
    {16384, "INITIAL_CONTACT"},
    {16385, "SET_WINDOW_SIZE"},
    {16386, "ADDITIONAL_TS_POSSIBLE"},
    {16387, "IPCOMP_SUPPORTED"},
    {16388, "NAT_DETECTION_SOURCE_IP"},
    {16389, "NAT_DETECTION_DESTINATION_IP"},
    {16390, "COOKIE"},
    {16391, "USE_TRANSPORT_MODE"},
    {16392, "HTTP_CERT_LOOKUP_SUPPORTED"},
    {16393, "REKEY_SA"},
    {16394, "ESP_TFC_PADDING_NOT_SUPPORTED"},
    {16395, "NON_FIRST_FRAGMENTS_ALSO"},
    {16396, "MOBIKE_SUPPORTED"},
    {16397, "ADDITIONAL_IP4_ADDRESS"},
    {16398, "ADDITIONAL_IP6_ADDRESS"},
    {16399, "NO_ADDITIONAL_ADDRESSES"},
    {16400, "UPDATE_SA_ADDRESSES"},
    {16401, "COOKIE2"},
    {16402, "NO_NATS_ALLOWED"},
    {16403, "AUTH_LIFETIME"},
    {16404, "MULTIPLE_AUTH_SUPPORTED"},
    {16405, "ANOTHER_AUTH_FOLLOWS"},
    {16406, "REDIRECT_SUPPORTED"},
    {16407, "REDIRECT"},
    {16408, "REDIRECTED_FROM"},
    {16409, "TICKET_LT_OPAQUE"},
    {16410, "TICKET_REQUEST"},
    {16411, "TICKET_ACK"},
    {16412, "TICKET_NACK"},
    {16413, "TICKET_OPAQUE"},
    {16414, "LINK_ID"},
    {16415, "USE_WESP_MODE"},
    {16416, "ROHC_SUPPORTED"},
    {16417, "EAP_ONLY_AUTHENTICATION"},
    {16418, "CHILDLESS_IKEV2_SUPPORTED"},
    {16419, "QUICK_CRASH_DETECTION"},
    {16420, "IKEV2_MESSAGE_ID_SYNC_SUPPORTED"},
    {16421, "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED"},
    {16422, "IKEV2_MESSAGE_ID_SYNC"},
    {16423, "IPSEC_REPLAY_COUNTER_SYNC"},
    {16424, "SECURE_PASSWORD_METHODS"},
    {16425, "PSK_PERSIST"},
    {16426, "PSK_CONFIRM"},
    {16427, "ERX_SUPPORTED"},
    {16428, "IFOM_CAPABILITY"},
    {16429, "SENDER_REQUEST_ID"},
    {16430, "IKEV2_FRAGMENTATION_SUPPORTED"},
    {16431, "SIGNATURE_HASH_ALGORITHMS"},
    {16432, "CLONE_IKE_SA_SUPPORTED"},
    {16433, "CLONE_IKE_SA"},
    {16434, "PUZZLE"},
    {16435, "USE_PPK"},
    {16436, "PPK_IDENTITY"},
    {16437, "NO_PPK_AUTH"},
    {16438, "INTERMEDIATE_EXCHANGE_SUPPORTED"},
    {16439, "IP4_ALLOWED"},
    {16440, "IP6_ALLOWED"},
    {16441, "ADDITIONAL_KEY_EXCHANGE"},
    {16442, "USE_AGGFRAG"},
    {16443, "SUPPORTED_AUTH_METHODS"},
    {16444, "SA_RESOURCE_INFO"},
};

constexpr Name kEncryption[] = {
    {1, "DES_IV64"},
    {2, "DES"},
    {3, "3DES"},
    {4, "RC5"},
    {5, "IDEA"},
    {6, "CAST"},
    {7, "BLOWFISH"},
    {8, "3IDEA"},
    {9, "DES_IV32"},
    {11, "NULL"},
    {12, "AES_CBC"},
    {13, "AES_CTR"},
    {14, "AES_CCM_8"},
    {15, "AES_CCM_12"},
    {16, "AES_CCM_16"},
    {18, "AES_GCM_8"},
    {19, "AES_GCM_12"},
    {20, "AES_GCM_16"},
    {21, "NULL_AUTH_AES_GMAC"},
    {23, "CAMELLIA_CBC"},
    {24, "CAMELLIA_CTR"},
    {25, "CAMELLIA_CCM_8"},
    {26, "CAMELLIA_CCM_12"},
    {27, "CAMELLIA_CCM_16"},
    {28, "CHACHA20_POLY1305"},
    {29, "AES_CCM_8_IIV"},
    {30, "AES_GCM_16_IIV"},
    {31, "CHACHA20_POLY1305_IIV"},
    {32, "KUZNYECHIK_MGM_KTREE"},
    {33, "MAGMA_MGM_KTREE"},
    {34, "KUZNYECHIK_MGM_MAC_KTREE"},
    {35, "MAGMA_MGM_MAC_KTREE"},
    {127, "SM4_CBC"},
    {128, "SM1_CBC"},
    {129, "SM4_CBC"},
};

constexpr Name kPrf[] = {
    {1, "PRF_HMAC_MD5"},          {2, "PRF_HMAC_SHA1"},     {3, "PRF_HMAC_TIGER"},    {4, "PRF_AES128_XCBC"},
    {5, "PRF_HMAC_SHA2_256"},     {6, "PRF_HMAC_SHA2_384"}, {7, "PRF_HMAC_SHA2_512"}, {8, "PRF_AES128_CMAC"},
    {9, "PRF_HMAC_STREEBOG_512"}, {20, "PRF_HMAC_SM3"},
};

constexpr Name kIntegrity[] = {
    {0, "NONE"},
    {1, "HMAC_MD5_96"},
    {2, "HMAC_SHA1_96"},
    {3, "DES_MAC"},
    {4, "KPDK_MD5"},
    {5, "AES_XCBC_96"},
    {6, "HMAC_MD5_128"},
    {7, "HMAC_SHA1_160"},
    {8, "AES_CMAC_96"},
    {9, "AES_128_GMAC"},
    {10, "AES_192_GMAC"},
    {11, "AES_256_GMAC"},
    {12, "HMAC_SHA2_256_128"},
    {13, "HMAC_SHA2_384_192"},
    {14, "HMAC_SHA2_512_256"},
    {20, "HMAC_SM3"},
};

constexpr Name kGroups[] = {
    {0, "NONE"},
    {1, "MODP_768"},
    {2, "MODP_1024"},
    {5, "MODP_1536"},
    {14, "MODP_2048"},
    {15, "MODP_3072"},
    {16, "MODP_4096"},
    {17, "MODP_6144"},
    {18, "MODP_8192"},
    {19, "ECP_256"},
    {20, "ECP_384"},
    {21, "ECP_521"},
    {22, "MODP_1024_160"},
    {23, "MODP_2048_224"},
    {24, "MODP_2048_256"},
    {25, "ECP_192"},
    {26, "ECP_224"},
    {27, "BRAINPOOL_P224"},
    {28, "BRAINPOOL_P256"},
    {29, "BRAINPOOL_P384"},
    {30, "BRAINPOOL_P512"},
    {31, "CURVE_25519"},
    {32, "CURVE_448"},
    {33, "GOST3410_2012_256"},
    {34, "GOST3410_2012_512"},
    {35, "ML_KEM_512"},
    {36, "ML_KEM_768"},
    {37, "ML_KEM_1024"},
};

constexpr Name kEncryptionV1[] = {
    {1, "DES_CBC"}, {2, "IDEA_CBC"},     {3, "BLOWFISH_CBC"}, {4, "RC5_CBC"},   {5, "3DES_CBC"},  {6, "CAST_CBC"},
    {7, "AES_CBC"}, {8, "CAMELLIA_CBC"}, {127, "SM4_CBC"},    {128, "SM1_CBC"}, {129, "SM4_CBC"},
};

constexpr Name kHashV1[] = {
    {1, "MD5"}, {2, "SHA1"}, {3, "TIGER"}, {4, "SHA2_256"}, {5, "SHA2_384"}, {6, "SHA2_512"}, {20, "SM3"},
};

constexpr Name kAuthenticationV1[] = {
    {1, "PSK"},
    {2, "DSS"},
    {3, "RSA"},
    {4, "RSA_ENC"},
    {5, "RSA_ENC_REV"},
    {9, "ECDSA_256"},
    {10, "SM2_ENVELOPE"},
    {64221, "HYBRID_INIT_RSA"},
    {64222, "HYBRID_RESP_RSA"},
    {65001, "XAUTH_INIT_PSK"},
    {65002, "XAUTH_RESP_PSK"},
    {65005, "XAUTH_INIT_RSA"},
    {65006, "XAUTH_RESP_RSA"},
};

std::string with_key(std::string name, std::uint16_t bits) {
  return bits == 0 ? name : fmt::format("{}-{}", name, bits);
}

}  // namespace

std::string exchange_name(std::uint8_t exchange) { return name_in(kExchanges, exchange, "EXCHANGE"); }
std::string notify_name_v1(std::uint16_t type) { return name_in(kNotifyV1, type, "NOTIFY"); }
std::string notify_name_v2(std::uint16_t type) { return name_in(kNotifyV2, type, "NOTIFY"); }
std::string encryption_name(std::uint16_t id) { return name_in(kEncryption, id, "ENCR"); }
std::string prf_name(std::uint16_t id) { return name_in(kPrf, id, "PRF"); }
std::string integrity_name(std::uint16_t id) { return name_in(kIntegrity, id, "INTEG"); }
std::string key_exchange_name(std::uint16_t id) { return name_in(kGroups, id, "GROUP"); }
std::string encryption_name_v1(std::uint16_t id) { return name_in(kEncryptionV1, id, "ENCR"); }
std::string hash_name_v1(std::uint16_t id) { return name_in(kHashV1, id, "HASH"); }
std::string authentication_name_v1(std::uint16_t id) { return name_in(kAuthenticationV1, id, "AUTH"); }

std::string_view transform_type_name(std::uint8_t type) {
  switch (type) {
    case transform_encryption:
      return "encryption";
    case transform_prf:
      return "PRF";
    case transform_integrity:
      return "integrity";
    case transform_key_exchange:
      return "DH group";
    case transform_sequence_numbers:
      return "sequence numbers";
    default:
      return type >= transform_additional_ke1 && type <= transform_additional_ke7 ? "additional key exchange"
                                                                                  : "transform";
  }
}

std::string to_string(const Transform& t) {
  switch (t.type) {
    case transform_encryption:
      return with_key(encryption_name(t.id), t.key_bits);
    case transform_prf:
      return prf_name(t.id);
    case transform_integrity:
      return integrity_name(t.id);
    case transform_key_exchange:
      return key_exchange_name(t.id);
    case transform_sequence_numbers:
      return t.id == 0 ? "NO_ESN" : t.id == 1 ? "ESN" : fmt::format("SN_{}", t.id);
    default:
      if (t.type >= transform_additional_ke1 && t.type <= transform_additional_ke7) {
        return fmt::format("KE{}_{}", t.type - transform_additional_ke1 + 1, key_exchange_name(t.id));
      }
      return fmt::format("TRANSFORM_{}_{}", t.type, t.id);
  }
}

std::string to_string(const Proposal& p) {
  std::string text;
  for (const Transform& t : p.transforms) {
    if (!text.empty()) text += '/';
    text += to_string(t);
  }
  return text;
}

std::string to_string(const Phase1Transform& t) {
  return fmt::format("{}/{}/{}/{}", with_key(encryption_name_v1(t.encryption), t.key_bits), hash_name_v1(t.hash),
                     authentication_name_v1(t.authentication), key_exchange_name(t.group));
}

bool is_sm_transform(const Transform& t) {
  switch (t.type) {
    case transform_encryption:
      return t.id >= 127 && t.id <= 129;
    case transform_prf:
    case transform_integrity:
      return t.id == 20;
    default:
      return false;
  }
}

}  // namespace tunnelwatch::wire
