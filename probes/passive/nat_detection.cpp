#include "probes/passive/nat_detection.h"

#include "probes/wire/ike_payloads.h"

#include <algorithm>
#include <array>
#include <memory>

#include <boost/container/static_vector.hpp>
#include <openssl/evp.h>

namespace tunnelwatch::passive {

namespace {

constexpr std::uint16_t kNatDetectionSource = 16388;
constexpr std::uint16_t kNatDetectionDestination = 16389;

// Both SPIs, an address and a port.
using HashInput = boost::container::static_vector<std::uint8_t, 8 + 8 + 16 + 2>;

void append(HashInput& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// Looking an algorithm up takes many times what hashing these few bytes does. Kept for the life of the program.
const EVP_MD* fetched(const char* name) { return EVP_MD_fetch(nullptr, name, nullptr); }

// Making one takes as long as hashing these few bytes does.
EVP_MD_CTX* hasher() {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> kept(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return kept.get();
}

// Version 1 hashes with the negotiated hash: its size names it.
const EVP_MD* digest_of_size(std::size_t size) {
  static const EVP_MD* const md5 = fetched("MD5");
  static const EVP_MD* const sha1 = fetched("SHA1");
  static const EVP_MD* const sha256 = fetched("SHA256");
  static const EVP_MD* const sha384 = fetched("SHA384");
  static const EVP_MD* const sha512 = fetched("SHA512");
  switch (size) {
    case 16:
      return md5;
    case 20:
      return sha1;
    case 32:
      return sha256;
    case 48:
      return sha384;
    case 64:
      return sha512;
    default:
      return nullptr;
  }
}

std::optional<bool> differs(wire::Bytes told, const wire::IkeHeader& h, const IpAddress& address, std::uint16_t port) {
  const EVP_MD* digest = digest_of_size(told.size());
  if (digest == nullptr) return std::nullopt;
  HashInput input;
  append(input, h.spi_initiator, 8);
  append(input, h.spi_responder, 8);
  input.insert(input.end(), address.bytes().begin(), address.bytes().end());
  append(input, port, 2);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_MD_CTX* context = hasher();
  const bool hashed = context != nullptr && EVP_DigestInit_ex(context, digest, nullptr) == 1 &&
                      EVP_DigestUpdate(context, input.data(), input.size()) == 1 &&
                      EVP_DigestFinal_ex(context, hash.data(), &size) == 1;
  if (!hashed) return std::nullopt;
  return !std::equal(told.begin(), told.end(), hash.begin(), hash.begin() + size);
}

// An end with several addresses sends several source hashes: one that fits is enough.
void merge(std::optional<bool>& known, std::optional<bool> seen) {
  if (seen) known = known.value_or(true) && *seen;
}

NatHashes of_v2(const wire::IkeMessage& m, const IpAddress& source, std::uint16_t source_port,
                const IpAddress& destination, std::uint16_t destination_port) {
  NatHashes result;
  for (const auto& p : m.payloads) {
    if (p.type != wire::v2_notify) continue;
    const auto n = wire::parse_notify_v2(p.body);
    if (!n) continue;
    if (n->type == kNatDetectionSource) merge(result.source_differs, differs(n->data, m.header, source, source_port));
    if (n->type == kNatDetectionDestination)
      merge(result.destination_differs, differs(n->data, m.header, destination, destination_port));
  }
  return result;
}

// RFC 3947 section 3.2: the first NAT-D payload is the destination's, the others are the sender's.
NatHashes of_v1(const wire::IkeMessage& m, const IpAddress& source, std::uint16_t source_port,
                const IpAddress& destination, std::uint16_t destination_port) {
  NatHashes result;
  bool first = true;
  for (const auto& p : m.payloads) {
    if (p.type != wire::v1_nat_d && p.type != wire::v1_nat_d_draft) continue;
    if (first) {
      merge(result.destination_differs, differs(p.body, m.header, destination, destination_port));
    } else {
      merge(result.source_differs, differs(p.body, m.header, source, source_port));
    }
    first = false;
  }
  return result;
}

}  // namespace

NatHashes nat_hashes(const wire::IkeMessage& message, const IpAddress& source, std::uint16_t source_port,
                     const IpAddress& destination, std::uint16_t destination_port) {
  if (message.header.major() == 1) return of_v1(message, source, source_port, destination, destination_port);
  return of_v2(message, source, source_port, destination, destination_port);
}

}  // namespace tunnelwatch::passive
