#pragma once

#include "probes/wire/ike_payloads.h"

#include <cstdint>
#include <string>
#include <string_view>

// The registries' names for what IKE carries as numbers: "IKEv2 Parameters" and "IPSEC and ISAKMP registries" of IANA,
// and GM/T 0022 for the SM algorithms of IKEv1. A number without a name is told as "TYPE_n".
namespace tunnelwatch::wire {

std::string exchange_name(std::uint8_t exchange);
// Two tables on purpose: the numbers of v1 and v2 overlap and differ.
std::string notify_name_v1(std::uint16_t type);
std::string notify_name_v2(std::uint16_t type);

std::string encryption_name(std::uint16_t id);
std::string prf_name(std::uint16_t id);
std::string integrity_name(std::uint16_t id);
std::string key_exchange_name(std::uint16_t id);  // groups, shared by both versions
std::string encryption_name_v1(std::uint16_t id);
std::string hash_name_v1(std::uint16_t id);
std::string authentication_name_v1(std::uint16_t id);

std::string to_string(const Transform& transform);        // "AES_CBC-256"
std::string to_string(const Proposal& proposal);          // "AES_CBC-256/PRF_HMAC_SHA2_256/..."
std::string to_string(const Phase1Transform& transform);  // "AES_CBC-256/SHA2-256/PSK/MODP_2048"
std::string_view transform_type_name(std::uint8_t type);  // "encryption", "PRF", ...

// SM1, SM3, SM4 (GM/T 0022): numbers that only IKEv1 of that profile uses.
bool is_sm_transform(const Transform& transform);

}  // namespace tunnelwatch::wire
