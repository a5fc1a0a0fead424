#pragma once

#include "tests/probes/wire/frame_builder.h"

#include <cstddef>
#include <cstdint>
#include <optional>

// Writes pcapng files for tests, block by block, in either byte order. Nothing here shares code with the parser.
namespace tunnelwatch::test {

inline constexpr unsigned kLinktypeEthernet = 1;
inline constexpr unsigned kLinktypeRaw = 101;
inline constexpr unsigned kLinktypeUsb = 189;
inline constexpr unsigned kLinktypeSll2 = 276;

class PcapngBuilder {
 public:
  enum class Order { little, big };

  explicit PcapngBuilder(Order order = Order::little) : order_(order) {}

  struct Packet {
    std::uint32_t interface = 0;
    std::uint64_t ticks = 0;
    Buffer bytes = {};
    std::optional<std::uint32_t> wire_length = {};  // as long as the bytes
    Buffer options = {};
  };

  Buffer u16(unsigned v) const { return number(v, 2); }
  Buffer u32(std::uint32_t v) const { return number(v, 4); }
  Buffer u64(std::uint64_t v) const { return number(v, 8); }

  Buffer option(unsigned code, const Buffer& value) const {
    return joined({u16(code), u16(static_cast<unsigned>(value.size())), padded(value)});
  }
  Buffer end_of_options() const { return option(0, {}); }
  Buffer flags(std::uint32_t flags) const { return joined({option(2, u32(flags)), end_of_options()}); }
  Buffer resolution(unsigned if_tsresol) const {
    return joined({option(9, {static_cast<std::uint8_t>(if_tsresol)}), end_of_options()});
  }

  // Any block. The lengths can be made to lie: both, or the one at its end.
  PcapngBuilder& block(std::uint32_t type, const Buffer& body, std::optional<std::uint32_t> length = {},
                       std::optional<std::uint32_t> length_again = {}) {
    const Buffer whole = padded(body);
    const std::uint32_t said = length.value_or(static_cast<std::uint32_t>(whole.size() + 12));
    put(file_, joined({u32(type), u32(said), whole, u32(length_again.value_or(said))}));
    return *this;
  }
  PcapngBuilder& section(const Buffer& options = {}, unsigned major = 1, unsigned minor = 0) {
    return block(0x0a0d0d0a, joined({u32(0x1a2b3c4d), u16(major), u16(minor), u64(~std::uint64_t{0}), options}));
  }
  PcapngBuilder& section(Order order) {
    order_ = order;
    return section();
  }
  PcapngBuilder& interface(unsigned link, std::uint32_t snap = 262'144, const Buffer& options = {}) {
    return block(1, joined({u16(link), u16(0), u32(snap), options}));
  }
  PcapngBuilder& enhanced(const Packet& p) { return block(6, joined({u32(p.interface), stamped(p)})); }
  PcapngBuilder& obsolete(const Packet& p) { return block(2, joined({u16(p.interface), u16(0xffff), stamped(p)})); }
  PcapngBuilder& simple(const Buffer& bytes, std::optional<std::uint32_t> wire_length = {}) {
    return block(3, joined({u32(wire_length.value_or(static_cast<std::uint32_t>(bytes.size()))), bytes}));
  }
  PcapngBuilder& raw(const Buffer& bytes) {
    put(file_, bytes);
    return *this;
  }

  const Buffer& file() const { return file_; }

 private:
  static Buffer padded(Buffer b) {
    while (b.size() % 4 != 0) b.push_back(0);
    return b;
  }
  Buffer number(std::uint64_t v, std::size_t size) const {
    Buffer b(size);
    for (std::size_t i = 0; i < size; ++i, v >>= 8) {
      b[order_ == Order::little ? i : size - 1 - i] = static_cast<std::uint8_t>(v);
    }
    return b;
  }
  Buffer stamped(const Packet& p) const {
    const auto captured = static_cast<std::uint32_t>(p.bytes.size());
    return joined({u32(static_cast<std::uint32_t>(p.ticks >> 32)), u32(static_cast<std::uint32_t>(p.ticks)),
                   u32(captured), u32(p.wire_length.value_or(captured)), padded(p.bytes), p.options});
  }

  Order order_;
  Buffer file_;
};

}  // namespace tunnelwatch::test
