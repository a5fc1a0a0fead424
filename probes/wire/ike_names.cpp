#include "probes/wire/ike_names.h"

#include "probes/wire/ike_name_table.h"

#include <fmt/format.h>

// What both versions share, and version 2. Version 1: ike_names_v1.cpp; notifies: ike_notify_names.cpp.
namespace tunnelwatch::wire {

namespace {

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
    {42, "GSA_INBAND_REKEY"},
    {43, "IKE_INTERMEDIATE"},
    {44, "IKE_FOLLOWUP_KE"},
};

// RFC 7296 section 3.2, RFC 6467, 7383, 8019, 9838; as its figures and section 1.2 abbreviate them.
constexpr Name kPayloads[] = {
    {0, "none"},   {33, "SA"},   {34, "KE"},  {35, "IDi"}, {36, "IDr"}, {37, "CERT"}, {38, "CERTREQ"}, {39, "AUTH"},
    {40, "Nonce"}, {41, "N"},    {42, "D"},   {43, "VID"}, {44, "TSi"}, {45, "TSr"},  {46, "SK"},      {47, "CP"},
    {48, "EAP"},   {49, "GSPM"}, {50, "IDg"}, {51, "GSA"}, {52, "KD"},  {53, "SKF"},  {54, "PS"},
};

constexpr Name kProtocols[] = {
    {1, "IKE"}, {2, "AH"}, {3, "ESP"}, {4, "FC_ESP_HEADER"}, {5, "FC_CT_AUTHENTICATION"}, {6, "GIKE_UPDATE"},
};

constexpr Name kIdentities[] = {
    {1, "IPV4_ADDR"},    {2, "FQDN"},    {3, "RFC822_ADDR"}, {5, "IPV6_ADDR"}, {9, "DER_ASN1_DN"},
    {10, "DER_ASN1_GN"}, {11, "KEY_ID"}, {12, "FC_NAME"},    {13, "NULL"},
};

constexpr Name kCertificates[] = {
    {1, "PKCS7_X509"},
    {2, "PGP"},
    {3, "DNS_SIGNED_KEY"},
    {4, "X509_SIGNATURE"},
    {5, "X509_KEY_EXCHANGE"},  // version 1
    {6, "KERBEROS_TOKEN"},
    {7, "CRL"},
    {8, "ARL"},
    {9, "SPKI"},
    {10, "X509_ATTRIBUTE"},
    {11, "RAW_RSA_KEY"},
    {12, "HASH_AND_URL_X509"},
    {13, "HASH_AND_URL_BUNDLE"},
    {14, "OCSP_CONTENT"},
    {15, "RAW_PUBLIC_KEY"},
};

constexpr Name kAuthentication[] = {
    {1, "RSA"},        {2, "PSK"},   {3, "DSS"},   {9, "ECDSA_256"},          {10, "ECDSA_384"},
    {11, "ECDSA_521"}, {12, "GSPM"}, {13, "NULL"}, {14, "DIGITAL_SIGNATURE"},
};

constexpr Name kSignatureHashes[] = {
    {1, "SHA1"},     {2, "SHA2_256"},     {3, "SHA2_384"},     {4, "SHA2_512"},
    {5, "IDENTITY"}, {6, "STREEBOG_256"}, {7, "STREEBOG_512"},
};

constexpr Name kConfiguration[] = {{1, "CFG_REQUEST"}, {2, "CFG_REPLY"}, {3, "CFG_SET"}, {4, "CFG_ACK"}};

constexpr Name kAttributes[] = {
    {1, "INTERNAL_IP4_ADDRESS"},
    {2, "INTERNAL_IP4_NETMASK"},
    {3, "INTERNAL_IP4_DNS"},
    {4, "INTERNAL_IP4_NBNS"},
    {6, "INTERNAL_IP4_DHCP"},
    {7, "APPLICATION_VERSION"},
    {8, "INTERNAL_IP6_ADDRESS"},
    {10, "INTERNAL_IP6_DNS"},
    {12, "INTERNAL_IP6_DHCP"},
    {13, "INTERNAL_IP4_SUBNET"},
    {14, "SUPPORTED_ATTRIBUTES"},
    {15, "INTERNAL_IP6_SUBNET"},
    {16, "MIP6_HOME_PREFIX"},
    {17, "INTERNAL_IP6_LINK"},
    {18, "INTERNAL_IP6_PREFIX"},
    {19, "HOME_AGENT_ADDRESS"},
    {20, "P_CSCF_IP4_ADDRESS"},
    {21, "P_CSCF_IP6_ADDRESS"},
    {22, "FTT_KAT"},
    {23, "EXTERNAL_SOURCE_IP4_NAT_INFO"},
    {24, "TIMEOUT_PERIOD_FOR_LIVENESS_CHECK"},
    {25, "INTERNAL_DNS_DOMAIN"},
    {26, "INTERNAL_DNSSEC_TA"},
    {27, "ENCDNS_IP4"},
    {28, "ENCDNS_IP6"},
    {29, "ENCDNS_DIGEST_INFO"},
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
    {3, "EC2N_155"},  // 3 and 4: RFC 2409; 6 to 13: draft-ietf-ipsec-ike-ecc-groups; version 1 only
    {4, "EC2N_185"},
    {5, "MODP_1536"},
    {6, "EC2N_163_RANDOM"},
    {7, "EC2N_163_KOBLITZ"},
    {8, "EC2N_283_RANDOM"},
    {9, "EC2N_283_KOBLITZ"},
    {10, "EC2N_409_RANDOM"},
    {11, "EC2N_409_KOBLITZ"},
    {12, "EC2N_571_RANDOM"},
    {13, "EC2N_571_KOBLITZ"},
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

// RFC 7296 section 3.3.2 as RFC 9827 renamed and extended it.
constexpr Name kSequenceNumbers[] = {{0, "NO_ESN"}, {1, "ESN"}, {2, "UNSPECIFIED_32_BIT"}};

constexpr Name kIpcomp[] = {{1, "OUI"}, {2, "DEFLATE"}, {3, "LZS"}, {4, "LZJH"}};

static_assert(in_order(kExchanges) && in_order(kPayloads) && in_order(kProtocols) && in_order(kIdentities) &&
              in_order(kCertificates) && in_order(kAuthentication) && in_order(kSignatureHashes) &&
              in_order(kConfiguration) && in_order(kAttributes) && in_order(kEncryption) && in_order(kPrf) &&
              in_order(kIntegrity) && in_order(kGroups) && in_order(kSequenceNumbers) && in_order(kIpcomp));

bool is_additional_key_exchange(std::uint8_t type) {
  return type >= transform_additional_ke1 && type <= transform_additional_ke7;
}

}  // namespace

std::string exchange_name(std::uint8_t exchange) { return name_in(kExchanges, exchange, "EXCHANGE"); }
std::string payload_name_v2(std::uint8_t type) { return name_in(kPayloads, type, "PAYLOAD"); }
std::string protocol_name_v2(std::uint8_t protocol) { return name_in(kProtocols, protocol, "PROTOCOL"); }
std::string identity_name_v2(std::uint8_t type) { return name_in(kIdentities, type, "ID"); }
std::string certificate_name(std::uint8_t encoding) { return name_in(kCertificates, encoding, "CERT"); }
std::string configuration_name(std::uint8_t type) { return name_in(kConfiguration, type, "CFG"); }
std::string attribute_name_v2(std::uint16_t type) { return name_in(kAttributes, type, "ATTRIBUTE"); }
std::string authentication_name_v2(std::uint8_t method) { return name_in(kAuthentication, method, "AUTH"); }
std::string signature_hash_name(std::uint16_t id) { return name_in(kSignatureHashes, id, "HASH"); }
std::string encryption_name(std::uint16_t id) { return name_in(kEncryption, id, "ENCR"); }
std::string prf_name(std::uint16_t id) { return name_in(kPrf, id, "PRF"); }
std::string integrity_name(std::uint16_t id) { return name_in(kIntegrity, id, "INTEG"); }
std::string key_exchange_name(std::uint16_t id) { return name_in(kGroups, id, "GROUP"); }
std::string ipcomp_name(std::uint8_t id) { return name_in(kIpcomp, id, "IPCOMP"); }

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
    case transform_key_wrap:
      return "key wrap";
    case transform_group_controller:
      return "group controller authentication";
    default:
      return is_additional_key_exchange(type) ? "additional key exchange" : "transform";
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
      return name_in(kSequenceNumbers, t.id, "SN");
    default:
      if (is_additional_key_exchange(t.type)) {
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
