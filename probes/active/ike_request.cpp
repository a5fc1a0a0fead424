#include "probes/active/ike_request.h"

#include "probes/wire/ike.h"

namespace tunnelwatch::active {

namespace {

constexpr std::uint16_t kCurve25519 = 31;

class Writer {
 public:
  explicit Writer(std::size_t marker) : marker_(marker) { bytes_.resize(marker); }
  Writer& u8(std::uint64_t v) { return number(v, 1); }
  Writer& u16(std::uint64_t v) { return number(v, 2); }
  Writer& u32(std::uint64_t v) { return number(v, 4); }
  Writer& u64(std::uint64_t v) { return number(v, 8); }
  Writer& random(KeyedRandom& source, std::size_t words) {
    while (words-- > 0) u64(source.next());
    return *this;
  }
  // The ISAKMP header; its length is filled in by take().
  Writer& header(std::uint64_t spi, unsigned first, unsigned version, unsigned exchange, unsigned flags) {
    return u64(spi).u64(0).u8(first).u8(version).u8(exchange).u8(flags).u32(0).u32(0);
  }
  std::vector<std::uint8_t> take() {
    const std::size_t length = bytes_.size() - marker_;
    bytes_[marker_ + 26] = static_cast<std::uint8_t>(length >> 8);
    bytes_[marker_ + 27] = static_cast<std::uint8_t>(length);
    return std::move(bytes_);
  }

 private:
  Writer& number(std::uint64_t v, std::size_t n) {
    while (n-- > 0) bytes_.push_back(static_cast<std::uint8_t>(v >> (8 * n)));
    return *this;
  }
  std::size_t marker_;
  std::vector<std::uint8_t> bytes_;
};

// RFC 7296 section 3.3: one proposal of four transforms; then KE and Ni as any initiator sends them.
void write_sa_init(Writer& w, std::uint64_t spi, KeyedRandom& random) {
  w.header(spi, 33, 0x20, 34, 0x08);
  w.u8(34).u8(0).u16(44);                         // SA, next KE
  w.u8(0).u8(0).u16(40).u8(1).u8(1).u8(0).u8(4);  // last proposal, number 1, IKE, no SPI, four transforms
  const auto transform = [&](unsigned more, unsigned type, unsigned id) {
    w.u8(more).u8(0).u16(8).u8(type).u8(0).u16(id);
  };
  transform(3, 1, wire::kNobodysCipher);
  transform(3, 2, 5);   // PRF_HMAC_SHA2_256
  transform(3, 3, 12);  // AUTH_HMAC_SHA2_256_128
  transform(0, 4, kCurve25519);
  w.u8(40).u8(0).u16(40).u16(kCurve25519).u16(0).random(random, 4);  // KE, next Nonce
  w.u8(0).u8(0).u16(36).random(random, 4);                           // Nonce
}

// RFC 2409 section 5 and appendix A: main mode, message 1, one transform.
void write_main_mode(Writer& w, std::uint64_t spi) {
  w.header(spi, 1, 0x10, 2, 0);
  w.u8(0).u8(0).u16(52).u32(1).u32(1);            // SA, DOI IPsec, SIT_IDENTITY_ONLY
  w.u8(0).u8(0).u16(40).u8(1).u8(1).u8(0).u8(1);  // proposal 1, ISAKMP, no SPI, one transform
  w.u8(0).u8(0).u16(32).u8(1).u8(1).u16(0);       // transform 1, KEY_IKE
  const auto attribute = [&](unsigned type, unsigned value) { w.u16(0x8000U | type).u16(value); };
  attribute(1, wire::kNobodysCipher);
  attribute(2, 2);   // SHA
  attribute(3, 1);   // pre-shared key
  attribute(4, 14);  // 2048-bit MODP
  attribute(11, 1);  // seconds
  attribute(12, 28800);
}

}  // namespace

std::vector<std::uint8_t> ike_request(IkeProbeKind kind, std::uint64_t spi, bool with_marker, KeyedRandom& random) {
  Writer w(with_marker ? 4 : 0);
  switch (kind) {
    case IkeProbeKind::version3:
      w.header(spi, 0, 0x30, 34, 0x08);
      break;
    case IkeProbeKind::sa_init:
      write_sa_init(w, spi, random);
      break;
    case IkeProbeKind::main_mode:
      write_main_mode(w, spi);
      break;
  }
  return w.take();
}

}  // namespace tunnelwatch::active
