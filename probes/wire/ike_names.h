#pragma once

#include "probes/wire/ike_payloads.h"
#include "probes/wire/ike_phase2.h"

#include <cstdint>
#include <string>
#include <string_view>

// The registries' names for what IKE carries as numbers: "IKEv2 Parameters", "IPsec registry" and "ISAKMP registry" of
// IANA, and GM/T 0022 for the SM algorithms of IKEv1. A number without a name is told as "TYPE_n". Where the versions
// use the same numbers for other things they have tables of their own.
namespace tunnelwatch::wire {

std::string exchange_name(std::uint8_t exchange);
std::string payload_name_v1(std::uint8_t type);  // "SA", "KE", "NAT-D", ...
std::string payload_name_v2(std::uint8_t type);  // "SA", "IDi", "N", ...
std::string notify_name_v1(std::uint16_t type);
std::string notify_name_v2(std::uint16_t type);
std::string protocol_name_v1(std::uint8_t protocol);  // "ISAKMP", "AH", "ESP", "IPCOMP"
std::string protocol_name_v2(std::uint8_t protocol);  // "IKE", "AH", "ESP"
std::string identity_name_v1(std::uint8_t type);      // "IPV4_ADDR", "FQDN", "USER_FQDN", ...
std::string identity_name_v2(std::uint8_t type);      // "IPV4_ADDR", "FQDN", "RFC822_ADDR", ...
std::string certificate_name(std::uint8_t encoding);  // both versions: v2 has more, the common ones agree
std::string configuration_name(std::uint8_t type);    // CFG_REQUEST to CFG_ACK, alike in both versions
std::string attribute_name_v1(std::uint16_t type);    // of mode config and XAuth
std::string attribute_name_v2(std::uint16_t type);    // of the configuration payload

// Version 2.
std::string encryption_name(std::uint16_t id);
std::string prf_name(std::uint16_t id);
std::string integrity_name(std::uint16_t id);
std::string key_exchange_name(std::uint16_t id);  // groups, shared by both versions
std::string authentication_name_v2(std::uint8_t method);
std::string signature_hash_name(std::uint16_t id);        // RFC 7427
std::string_view transform_type_name(std::uint8_t type);  // "encryption", "PRF", ...
std::string to_string(const Transform& transform);        // "AES_CBC-256"
std::string to_string(const Proposal& proposal);          // "AES_CBC-256/PRF_HMAC_SHA2_256/..."

// Version 1, phase 1.
std::string encryption_name_v1(std::uint16_t id);
std::string hash_name_v1(std::uint16_t id);
// In a suite of SM algorithms the number 10 is SM2's digital envelope, in all others ECDSA: hence the transform.
std::string authentication_name_v1(const Phase1Transform& transform);
std::string to_string(const Phase1Transform& transform);  // "AES_CBC-256/SHA2_256/PSK/MODP_2048"
// Version 1, the IPsec DOI (RFC 2407 section 4.4).
std::string esp_name_v1(std::uint8_t id);
std::string ah_name_v1(std::uint8_t id);
std::string ipcomp_name(std::uint8_t id);  // alike in version 2's IPCOMP_SUPPORTED
std::string authentication_algorithm_name_v1(std::uint16_t id);
std::string encapsulation_name_v1(std::uint16_t id);
std::string to_string(const Phase2Transform& transform);  // "AES_CBC-128/HMAC_SHA2_256/MODP_2048/TUNNEL"

// SM1, SM3, SM4 (GM/T 0022): numbers that only IKEv1 of that profile uses.
bool is_sm_transform(const Transform& transform);
bool is_sm_suite(const Phase1Transform& transform);

}  // namespace tunnelwatch::wire
