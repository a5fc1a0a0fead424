#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tunnelwatch {

enum class IpFamily : std::uint8_t { v4, v6 };

// An IPv4 or IPv6 address as a plain value. The bytes of an IPv4 address are the first four, the rest is zero, so that
// comparing and hashing need no case distinction. IPv4-mapped IPv6 text and bytes stay IPv6: the wire tells them apart.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes);
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes);
  // Dotted quad or RFC 4291 text, without zone and without prefix length.
  static std::optional<IpAddress> parse(std::string_view text);

  IpFamily family() const { return family_; }
  bool is_v4() const { return family_ == IpFamily::v4; }
  bool is_unspecified() const { return bytes_ == std::array<std::uint8_t, 16>{}; }
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_link_local() const;
  // RFC 1918, RFC 6598 (100.64/10) and fc00::/7: an address that the public network does not route.
  bool is_private() const;
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  std::string to_string() const;
  std::size_t hash() const {
    const Words w = words();
    std::uint64_t h = (w[0] ^ (w[1] * 0x9e3779b97f4a7c15U)) + static_cast<std::uint64_t>(family_);
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93U;
    h ^= h >> 32;
    return h;
  }

  // By words: tables of addresses compare them for every packet.
  bool operator==(const IpAddress& other) const {
    const Words mine = words();
    const Words others = other.words();
    return mine[0] == others[0] && mine[1] == others[1] && family_ == other.family_;
  }
  // By the bytes in their order, then by family.
  std::strong_ordering operator<=>(const IpAddress& other) const {
    const Words mine = words();
    const Words others = other.words();
    if (mine[0] != others[0]) return in_order(mine[0]) <=> in_order(others[0]);
    if (mine[1] != others[1]) return in_order(mine[1]) <=> in_order(others[1]);
    return family_ <=> other.family_;
  }

 private:
  using Words = std::array<std::uint64_t, 2>;
  Words words() const { return std::bit_cast<Words>(bytes_); }
  // With the first byte as the most significant one.
  static std::uint64_t in_order(std::uint64_t word) {
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }

  std::array<std::uint8_t, 16> bytes_{};
  IpFamily family_ = IpFamily::v4;
};

// A subnet in CIDR form. Host bits are kept as given by the text; contains() looks at the prefix only.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  // "10.1.0.0/24", "2001:db8::/32"; an address alone means all of its bits. Host bits set are refused.
  static std::optional<IpPrefix> parse(std::string_view text);
  // The subnet of that length which the address lies in; a length beyond the address means all of its bits.
  static IpPrefix of(const IpAddress& address, unsigned length);
  bool contains(const IpAddress& other) const;
  bool contains(const IpPrefix& other) const;
  bool overlaps(const IpPrefix& other) const { return contains(other) || other.contains(*this); }
  std::string to_string() const;

  auto operator<=>(const IpPrefix&) const = default;
};

struct IpAddressHash {
  std::size_t operator()(const IpAddress& a) const { return a.hash(); }
};

}  // namespace tunnelwatch
