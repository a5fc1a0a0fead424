#include "probes/wire/ike_name_table.h"
#include "probes/wire/ike_names.h"

#include <fmt/format.h>

// Version 1: RFC 2407, 2408 and 2409 with what IANA registered later, the drafts of XAuth and mode config, GM/T 0022.
namespace tunnelwatch::wire {

namespace {

// RFC 2408 section 3.1, RFC 3947, RFC 6407, and what vendors use of the private range.
constexpr Name kPayloads[] = {
    {0, "none"},     {1, "SA"},         {2, "P"},       {3, "T"},      {4, "KE"},   {5, "ID"},   {6, "CERT"},
    {7, "CERTREQ"},  {8, "HASH"},       {9, "SIG"},     {10, "Nonce"}, {11, "N"},   {12, "D"},   {13, "VID"},
    {14, "ATTR"},    {15, "SAK"},       {16, "SAT"},    {17, "KD"},    {18, "SEQ"}, {19, "POP"}, {20, "NAT-D"},
    {21, "NAT-OA"},  {22, "GAP"},       {130, "NAT-D"},  // of draft-ietf-ipsec-nat-t-ike-00 to -03, as 131
    {131, "NAT-OA"}, {132, "FRAGMENT"},
};

constexpr Name kProtocols[] = {{1, "ISAKMP"}, {2, "AH"}, {3, "ESP"}, {4, "IPCOMP"}, {5, "GIGABEAM_RADIO"}};

constexpr Name kIdentities[] = {
    {1, "IPV4_ADDR"},       {2, "FQDN"},
    {3, "USER_FQDN"},       {4, "IPV4_ADDR_SUBNET"},
    {5, "IPV6_ADDR"},       {6, "IPV6_ADDR_SUBNET"},
    {7, "IPV4_ADDR_RANGE"}, {8, "IPV6_ADDR_RANGE"},
    {9, "DER_ASN1_DN"},     {10, "DER_ASN1_GN"},
    {11, "KEY_ID"},         {12, "LIST"},
};

// draft-dukes-ike-mode-cfg, draft-beaulieu-ike-xauth, and Cisco's Unity.
constexpr Name kAttributes[] = {
    {1, "INTERNAL_IP4_ADDRESS"}, {2, "INTERNAL_IP4_NETMASK"},     {3, "INTERNAL_IP4_DNS"},
    {4, "INTERNAL_IP4_NBNS"},    {5, "INTERNAL_ADDRESS_EXPIRY"},  {6, "INTERNAL_IP4_DHCP"},
    {7, "APPLICATION_VERSION"},  {8, "INTERNAL_IP6_ADDRESS"},     {9, "INTERNAL_IP6_NETMASK"},
    {10, "INTERNAL_IP6_DNS"},    {11, "INTERNAL_IP6_NBNS"},       {12, "INTERNAL_IP6_DHCP"},
    {13, "INTERNAL_IP4_SUBNET"}, {14, "SUPPORTED_ATTRIBUTES"},    {15, "INTERNAL_IP6_SUBNET"},
    {16520, "XAUTH_TYPE"},       {16521, "XAUTH_USER_NAME"},      {16522, "XAUTH_USER_PASSWORD"},
    {16523, "XAUTH_PASSCODE"},   {16524, "XAUTH_MESSAGE"},        {16525, "XAUTH_CHALLENGE"},
    {16526, "XAUTH_DOMAIN"},     {16527, "XAUTH_STATUS"},         {16528, "XAUTH_NEXT_PIN"},
    {16529, "XAUTH_ANSWER"},     {28672, "UNITY_BANNER"},         {28673, "UNITY_SAVE_PASSWD"},
    {28674, "UNITY_DEF_DOMAIN"}, {28675, "UNITY_SPLITDNS_NAME"},  {28676, "UNITY_SPLIT_INCLUDE"},
    {28677, "UNITY_NATT_PORT"},  {28678, "UNITY_LOCAL_LAN"},      {28679, "UNITY_PFS"},
    {28680, "UNITY_FW_TYPE"},    {28681, "UNITY_BACKUP_SERVERS"}, {28682, "UNITY_DDNS_HOSTNAME"},
};

constexpr Name kEncryption[] = {
    {1, "DES_CBC"},
    {2, "IDEA_CBC"},
    {3, "BLOWFISH_CBC"},
    {4, "RC5_CBC"},
    {5, "3DES_CBC"},
    {6, "CAST_CBC"},
    {7, "AES_CBC"},
    {8, "CAMELLIA_CBC"},
    {127, "SM4_CBC"},  // of the profile's first edition, as
                       // 129 since
    {128, "SM1_CBC"},
    {129, "SM4_CBC"},
    {65004, "SERPENT_CBC"},
    {65005, "TWOFISH_CBC"},
};

constexpr Name kHash[] = {
    {1, "MD5"}, {2, "SHA1"}, {3, "TIGER"}, {4, "SHA2_256"}, {5, "SHA2_384"}, {6, "SHA2_512"}, {20, "SM3"},
};

constexpr std::uint16_t kTenth = 10;
constexpr Name kAuthentication[] = {
    {1, "PSK"},
    {2, "DSS"},
    {3, "RSA"},
    {4, "RSA_ENC"},
    {5, "RSA_ENC_REV"},
    {6, "ELGAMAL_ENC"},
    {7, "ELGAMAL_ENC_REV"},
    {8, "ECDSA"},
    {9, "ECDSA_256"},
    {kTenth, "ECDSA_384"},
    {11, "ECDSA_521"},
    {64221, "HYBRID_INIT_RSA"},
    {64222, "HYBRID_RESP_RSA"},
    {64223, "HYBRID_INIT_DSS"},
    {64224, "HYBRID_RESP_DSS"},
    {65001, "XAUTH_INIT_PSK"},
    {65002, "XAUTH_RESP_PSK"},
    {65003, "XAUTH_INIT_DSS"},
    {65004, "XAUTH_RESP_DSS"},
    {65005, "XAUTH_INIT_RSA"},
    {65006, "XAUTH_RESP_RSA"},
    {65007, "XAUTH_INIT_RSA_ENC"},
    {65008, "XAUTH_RESP_RSA_ENC"},
    {65009, "XAUTH_INIT_RSA_ENC_REV"},
    {65010, "XAUTH_RESP_RSA_ENC_REV"},
};

// RFC 2407 section 4.4.4.
constexpr Name kEsp[] = {
    {1, "DES_IV64"},    {2, "DES"},
    {3, "3DES"},        {4, "RC5"},
    {5, "IDEA"},        {6, "CAST"},
    {7, "BLOWFISH"},    {8, "3IDEA"},
    {9, "DES_IV32"},    {10, "RC4"},
    {11, "NULL"},       {12, "AES_CBC"},
    {13, "AES_CTR"},    {14, "AES_CCM_8"},
    {15, "AES_CCM_12"}, {16, "AES_CCM_16"},
    {18, "AES_GCM_8"},  {19, "AES_GCM_12"},
    {20, "AES_GCM_16"}, {21, "SEED_CBC"},
    {22, "CAMELLIA"},   {23, "NULL_AUTH_AES_GMAC"},
    {127, "SM4_CBC"},   {128, "SM1_CBC"},
    {129, "SM4_CBC"},   {252, "SERPENT"},
    {253, "TWOFISH"},
};

// RFC 2407 section 4.4.3.
constexpr Name kAh[] = {
    {2, "MD5"},           {3, "SHA"},           {4, "DES"},      {5, "SHA2_256"}, {6, "SHA2_384"},
    {7, "SHA2_512"},      {8, "RIPEMD"},        {9, "AES_XCBC"}, {10, "RSA"},     {11, "AES_128_GMAC"},
    {12, "AES_192_GMAC"}, {13, "AES_256_GMAC"}, {20, "SM3"},
};

// RFC 2407 section 4.5, attribute 5.
constexpr Name kAuthenticationAlgorithms[] = {
    {1, "HMAC_MD5"},      {2, "HMAC_SHA1"},     {3, "DES_MAC"},       {4, "KPDK"},      {5, "HMAC_SHA2_256"},
    {6, "HMAC_SHA2_384"}, {7, "HMAC_SHA2_512"}, {8, "HMAC_RIPEMD"},   {9, "AES_XCBC"},  {10, "SIG_RSA"},
    {11, "AES_128_GMAC"}, {12, "AES_192_GMAC"}, {13, "AES_256_GMAC"}, {20, "HMAC_SM3"},
};

constexpr Name kEncapsulation[] = {
    {1, "TUNNEL"},
    {2, "TRANSPORT"},
    {3, "UDP_TUNNEL"},
    {4, "UDP_TRANSPORT"},
    {61440, "CHECK_POINT_UDP"},
    {61443, "UDP_TUNNEL_DRAFT"},
    {61444, "UDP_TRANSPORT_DRAFT"},
};

static_assert(in_order(kPayloads) && in_order(kProtocols) && in_order(kIdentities) && in_order(kAttributes) &&
              in_order(kEncryption) && in_order(kHash) && in_order(kAuthentication) && in_order(kEsp) &&
              in_order(kAh) && in_order(kAuthenticationAlgorithms) && in_order(kEncapsulation));

std::string phase2_algorithm(const Phase2Transform& t) {
  switch (t.protocol) {
    case 2:
      return ah_name_v1(t.id);
    case 3:
      return with_key(esp_name_v1(t.id), t.key_bits);
    case 4:
      return ipcomp_name(t.id);
    default:
      return fmt::format("TRANSFORM_{}", t.id);
  }
}

}  // namespace

std::string payload_name_v1(std::uint8_t type) { return name_in(kPayloads, type, "PAYLOAD"); }
std::string protocol_name_v1(std::uint8_t protocol) { return name_in(kProtocols, protocol, "PROTOCOL"); }
std::string identity_name_v1(std::uint8_t type) { return name_in(kIdentities, type, "ID"); }
std::string attribute_name_v1(std::uint16_t type) { return name_in(kAttributes, type, "ATTRIBUTE"); }
std::string encryption_name_v1(std::uint16_t id) { return name_in(kEncryption, id, "ENCR"); }
std::string hash_name_v1(std::uint16_t id) { return name_in(kHash, id, "HASH"); }
std::string esp_name_v1(std::uint8_t id) { return name_in(kEsp, id, "ESP"); }
std::string ah_name_v1(std::uint8_t id) { return name_in(kAh, id, "AH"); }
std::string authentication_algorithm_name_v1(std::uint16_t id) {
  return name_in(kAuthenticationAlgorithms, id, "AUTH");
}
std::string encapsulation_name_v1(std::uint16_t id) { return name_in(kEncapsulation, id, "MODE"); }

std::string authentication_name_v1(const Phase1Transform& t) {
  if (t.authentication == kTenth && is_sm_suite(t)) return "SM2_ENVELOPE";
  return name_in(kAuthentication, t.authentication, "AUTH");
}

std::string to_string(const Phase1Transform& t) {
  return fmt::format("{}/{}/{}/{}", with_key(encryption_name_v1(t.encryption), t.key_bits), hash_name_v1(t.hash),
                     authentication_name_v1(t), key_exchange_name(t.group));
}

std::string to_string(const Phase2Transform& t) {
  std::string text = phase2_algorithm(t);
  if (t.authentication != 0) text += '/' + authentication_algorithm_name_v1(t.authentication);
  if (t.group != 0) text += '/' + key_exchange_name(t.group);
  if (t.extended_sequence) text += "/ESN";
  if (t.encapsulation != 0) text += '/' + encapsulation_name_v1(t.encapsulation);
  return text;
}

bool is_sm_suite(const Phase1Transform& t) {
  constexpr std::uint16_t kSm3 = 20;
  constexpr std::uint16_t kSm2 = 2;
  return (t.encryption >= 127 && t.encryption <= 129) || t.hash == kSm3 || t.asymmetric == kSm2;
}

}  // namespace tunnelwatch::wire
