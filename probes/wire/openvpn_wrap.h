#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/openvpn.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// How the control channel is protected before TLS begins. A server that wants it does not answer at all to packets
// without it: silence by design.
namespace tunnelwatch::wire {

enum class OpenVpnWrapKind : std::uint8_t { none, tls_auth, tls_crypt, tls_crypt_v2 };

// A static key (2048 bits, "OpenVPN Static key V1") as hexadecimal text; nothing where it is none.
using OpenVpnStaticKey = std::array<std::uint8_t, 256>;
std::optional<OpenVpnStaticKey> parse_openvpn_static_key(std::string_view text);

// A client's own key ("OpenVPN tls-crypt-v2 client key"): the key, and the same wrapped for the server.
struct OpenVpnClientKey {
  OpenVpnStaticKey key{};
  std::vector<std::uint8_t> wrapped;
};
std::optional<OpenVpnClientKey> parse_openvpn_client_key(std::string_view text);

// What protects the packets of one client. `packet`, `time`: of the replay protection, counted from 1.
class OpenVpnWrap {
 public:
  OpenVpnWrap() = default;
  // `digest` by OpenSSL's name; `direction`: of the key, none for both ends alike. Nothing where there is no such
  // digest.
  static std::optional<OpenVpnWrap> tls_auth(const OpenVpnStaticKey& key, std::string_view digest,
                                             std::optional<unsigned> direction);
  static OpenVpnWrap tls_crypt(const OpenVpnStaticKey& key);
  static OpenVpnWrap tls_crypt_v2(OpenVpnClientKey key);

  OpenVpnWrapKind kind() const { return kind_; }
  // The other end's: for tests that stand for a server.
  OpenVpnWrap mirrored() const;

  // A packet as it goes to the server. Empty where OpenSSL refuses.
  std::vector<std::uint8_t> wrap(const OpenVpnControl& control, std::uint32_t packet, std::uint32_t time) const;
  // The body of a packet from the other end; nothing where it is not protected by this key. Bytes are untrusted.
  std::optional<std::vector<std::uint8_t>> unwrap(Bytes packet) const;

 private:
  OpenVpnWrapKind kind_ = OpenVpnWrapKind::none;
  OpenVpnStaticKey key_{};
  std::vector<std::uint8_t> wrapped_;  // of tls-crypt-v2
  const char* digest_ = "SHA256";
  std::size_t out_ = 0;  // which half of the key is ours
  std::size_t in_ = 0;
};

}  // namespace tunnelwatch::wire
