#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tunnelwatch::wire {

using Bytes = std::span<const std::uint8_t>;

// A bounded cursor over untrusted bytes, big-endian. Failure is sticky: after the first short read every read gives 0
// and failed() is true, so a parser reads all its fields and asks once. Sizes are compared, never pointers. Ask
// failed() before a value is used for a size, a loop or an index.
class ByteReader {
 public:
  explicit constexpr ByteReader(Bytes bytes) : bytes_(bytes) {}

  constexpr std::uint8_t u8() { return static_cast<std::uint8_t>(read<1>()); }
  constexpr std::uint16_t u16() { return static_cast<std::uint16_t>(read<2>()); }
  constexpr std::uint32_t u24() { return static_cast<std::uint32_t>(read<3>()); }
  constexpr std::uint32_t u32() { return static_cast<std::uint32_t>(read<4>()); }
  constexpr std::uint64_t u64() { return read<8>(); }

  // The next `n` bytes as a view into the input; empty on failure.
  constexpr Bytes take(std::size_t n) {
    if (n > left() || failed_) {
      failed_ = true;
      return {};
    }
    const Bytes taken = bytes_.subspan(position_, n);
    position_ += n;
    return taken;
  }
  constexpr Bytes rest() { return take(left()); }
  constexpr void skip(std::size_t n) { take(n); }
  // A reader of the next `n` bytes only, for what carries its own length.
  constexpr ByteReader sub(std::size_t n) {
    ByteReader child{take(n)};
    child.failed_ = failed_;
    return child;
  }

  constexpr std::size_t left() const { return failed_ ? 0 : bytes_.size() - position_; }
  constexpr std::size_t position() const { return position_; }
  constexpr bool failed() const { return failed_; }

 private:
  // Written out, so that the compiler makes one load of it.
  template <std::size_t n>
  constexpr std::uint64_t read() {
    const Bytes taken = take(n);
    if (taken.empty()) return 0;
    const std::uint8_t* const bytes = taken.data();
    return [bytes]<std::size_t... i>(std::index_sequence<i...>) {
      return ((std::uint64_t{bytes[i]} << (8 * (n - 1 - i))) | ...);
    }
    (std::make_index_sequence<n>{});
  }

  Bytes bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace tunnelwatch::wire
