#include "probes/wire/openvpn_wrap.h"

#include <algorithm>
#include <memory>
#include <span>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace tunnelwatch::wire {

namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kHalf = 128;  // each half: 64 bytes for a cipher, 64 for a digest
constexpr std::size_t kDigestAt = 64;
constexpr std::size_t kPacketId = 8;    // number and time
constexpr std::size_t kTag = 32;        // of tls-crypt
constexpr std::size_t kDigestKey = 32;  // of tls-crypt
constexpr std::size_t kIv = 16;
constexpr std::size_t kMaxKeyText = 16384;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What stands between two lines, without them.
std::optional<std::string_view> between(std::string_view text, std::string_view begin, std::string_view end) {
  const auto first = text.find(begin);
  if (first == text.npos) return std::nullopt;
  text.remove_prefix(first + begin.size());
  const auto last = text.find(end);
  if (last == text.npos || last > kMaxKeyText) return std::nullopt;
  return text.substr(0, last);
}

void append(Octets& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Octets packet_id(std::uint32_t packet, std::uint32_t time) {
  Octets out;
  for (const std::uint32_t value : {packet, time}) {
    for (unsigned i = 4; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  return out;
}

Octets hmac(const EVP_MD* digest, Bytes key, Bytes text) {
  Octets out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (HMAC(digest, key.data(), static_cast<int>(key.size()), text.data(), text.size(), out.data(), &size) == nullptr) {
    return {};
  }
  out.resize(size);
  return out;
}

// AES-256 in counter mode: the same both ways.
Octets counter_mode(Bytes key, Bytes iv, Bytes text) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  Octets out(text.size());
  int size = 0;
  if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key.data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &size, text.data(), static_cast<int>(text.size())) != 1) {
    return {};
  }
  return out;
}

bool shows_client_key(OpenVpnOpcode opcode) {
  return opcode == OpenVpnOpcode::hard_reset_client_v3 || opcode == OpenVpnOpcode::control_wkc;
}

bool equal(Bytes a, Bytes b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace

std::optional<OpenVpnStaticKey> parse_openvpn_static_key(std::string_view text) {
  const auto body = between(text, "-----BEGIN OpenVPN Static key V1-----", "-----END OpenVPN Static key V1-----");
  if (!body) return std::nullopt;
  OpenVpnStaticKey key{};
  std::size_t digits = 0;
  for (const char c : *body) {
    const int digit = hex_digit(c);
    if (digit < 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    if (digit < 0 || digits == 2 * key.size()) return std::nullopt;
    std::uint8_t& byte = key[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
    ++digits;
  }
  if (digits != 2 * key.size()) return std::nullopt;
  return key;
}

std::optional<OpenVpnClientKey> parse_openvpn_client_key(std::string_view text) {
  const auto body =
      between(text, "-----BEGIN OpenVPN tls-crypt-v2 client key-----", "-----END OpenVPN tls-crypt-v2 client key-----");
  if (!body) return std::nullopt;
  Octets base64;
  std::copy_if(body->begin(), body->end(), std::back_inserter(base64),
               [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
  if (base64.empty() || base64.size() % 4 != 0) return std::nullopt;
  Octets bytes(base64.size() / 4 * 3);
  const int size = EVP_DecodeBlock(bytes.data(), base64.data(), static_cast<int>(base64.size()));
  if (size < 0) return std::nullopt;
  const auto padding = std::count(base64.end() - 2, base64.end(), '=');
  bytes.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(padding));
  OpenVpnClientKey key;
  if (bytes.size() <= key.key.size() || bytes.size() > key.key.size() + 1024) return std::nullopt;
  std::copy_n(bytes.begin(), key.key.size(), key.key.begin());
  key.wrapped.assign(bytes.begin() + static_cast<std::ptrdiff_t>(key.key.size()), bytes.end());
  return key;
}

std::optional<OpenVpnWrap> OpenVpnWrap::tls_auth(const OpenVpnStaticKey& key, std::string_view digest,
                                                 std::optional<unsigned> direction) {
  const EVP_MD* const known = EVP_get_digestbyname(std::string(digest).c_str());
  if (known == nullptr || EVP_MD_get_size(known) <= 0) return std::nullopt;
  OpenVpnWrap wrap;
  wrap.kind_ = OpenVpnWrapKind::tls_auth;
  wrap.key_ = key;
  wrap.digest_ = EVP_MD_get0_name(known);  // of static storage
  wrap.out_ = direction.value_or(0) == 1 ? 1 : 0;
  wrap.in_ = direction && *direction == 0 ? 1 : 0;
  return wrap;
}

OpenVpnWrap OpenVpnWrap::tls_crypt(const OpenVpnStaticKey& key) {
  OpenVpnWrap wrap;
  wrap.kind_ = OpenVpnWrapKind::tls_crypt;
  wrap.key_ = key;
  wrap.out_ = 1;
  wrap.in_ = 0;
  return wrap;
}

OpenVpnWrap OpenVpnWrap::tls_crypt_v2(OpenVpnClientKey key) {
  OpenVpnWrap wrap = tls_crypt(key.key);
  wrap.kind_ = OpenVpnWrapKind::tls_crypt_v2;
  wrap.wrapped_ = std::move(key.wrapped);
  return wrap;
}

OpenVpnWrap OpenVpnWrap::mirrored() const {
  OpenVpnWrap other = *this;
  std::swap(other.out_, other.in_);
  other.wrapped_.clear();
  return other;
}

std::vector<std::uint8_t> OpenVpnWrap::wrap(const OpenVpnControl& control, std::uint32_t packet,
                                            std::uint32_t time) const {
  const auto head = build_openvpn_head(control.head);
  const Octets body = build_openvpn_body(control);
  Octets out(head.begin(), head.end());
  if (kind_ == OpenVpnWrapKind::none) {
    append(out, body);
    return out;
  }
  const Octets id = packet_id(packet, time);
  const Bytes half = Bytes(key_).subspan(out_ * kHalf, kHalf);
  Octets signed_part;
  if (kind_ == OpenVpnWrapKind::tls_auth) {
    const EVP_MD* const digest = EVP_get_digestbyname(digest_);
    append(signed_part, id);
    append(signed_part, head);
    append(signed_part, body);
    const Octets tag =
        hmac(digest, half.subspan(kDigestAt, static_cast<std::size_t>(EVP_MD_get_size(digest))), signed_part);
    if (tag.empty()) return {};
    append(out, tag);
    append(out, id);
    append(out, body);
    return out;
  }
  append(signed_part, head);
  append(signed_part, id);
  append(signed_part, body);
  const Octets tag = hmac(EVP_sha256(), half.subspan(kDigestAt, kDigestKey), signed_part);
  if (tag.empty()) return {};
  append(out, id);
  append(out, tag);
  append(out, counter_mode(half.first(kDigestKey), Bytes(tag).first(kIv), body));
  if (shows_client_key(control.head.opcode)) append(out, wrapped_);
  return out;
}

std::optional<std::vector<std::uint8_t>> OpenVpnWrap::unwrap(Bytes packet) const {
  ByteReader r(packet);
  const Bytes head = r.take(kOpenVpnHead);
  if (r.failed() || packet.size() > kOpenVpnMaxPacket) return std::nullopt;
  if (kind_ == OpenVpnWrapKind::none) {
    const Bytes body = r.rest();
    return Octets(body.begin(), body.end());
  }
  const Bytes half = Bytes(key_).subspan(in_ * kHalf, kHalf);
  Octets signed_part;
  if (kind_ == OpenVpnWrapKind::tls_auth) {
    const EVP_MD* const digest = EVP_get_digestbyname(digest_);
    const auto size = static_cast<std::size_t>(EVP_MD_get_size(digest));
    const Bytes tag = r.take(size);
    const Bytes id = r.take(kPacketId);
    const Bytes body = r.rest();
    if (r.failed()) return std::nullopt;
    append(signed_part, id);
    append(signed_part, head);
    append(signed_part, body);
    if (!equal(tag, hmac(digest, half.subspan(kDigestAt, size), signed_part))) return std::nullopt;
    return Octets(body.begin(), body.end());
  }
  const Bytes id = r.take(kPacketId);
  const Bytes tag = r.take(kTag);
  if (r.failed()) return std::nullopt;
  Octets body = counter_mode(half.first(kDigestKey), tag.first(kIv), r.rest());
  append(signed_part, head);
  append(signed_part, id);
  append(signed_part, body);
  if (!equal(tag, hmac(EVP_sha256(), half.subspan(kDigestAt, kDigestKey), signed_part))) return std::nullopt;
  return body;
}

}  // namespace tunnelwatch::wire
