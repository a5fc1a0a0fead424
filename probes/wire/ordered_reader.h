#pragma once

#include "probes/wire/byte_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tunnelwatch::wire {

// A bounded cursor as ByteReader, for formats that say themselves in which byte order they were written. Failure is
// sticky here too.
class OrderedReader {
 public:
  OrderedReader(Bytes bytes, bool little_endian) : reader_(bytes), little_endian_(little_endian) {}

  std::uint8_t u8() { return reader_.u8(); }
  std::uint16_t u16() {
    const Bytes b = reader_.take(2);
    if (b.empty()) return 0;
    return static_cast<std::uint16_t>(little_endian_ ? b[1] << 8 | b[0] : b[0] << 8 | b[1]);
  }
  std::uint32_t u32() {
    const Bytes b = reader_.take(4);
    if (b.empty()) return 0;
    const auto at = [&b](std::size_t i) { return std::uint32_t{b[i]}; };
    return little_endian_ ? at(3) << 24 | at(2) << 16 | at(1) << 8 | at(0)
                          : at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3);
  }
  std::uint64_t u64() {
    const std::uint64_t first = u32();
    const std::uint64_t second = u32();
    return little_endian_ ? second << 32 | first : first << 32 | second;
  }
  // Data, and the padding to the next multiple of four as far as it is there.
  Bytes padded(std::size_t n) {
    const Bytes data = reader_.take(n);
    reader_.skip(std::min((4 - n % 4) % 4, reader_.left()));
    return data;
  }
  void skip(std::size_t n) { reader_.skip(n); }
  std::size_t left() const { return reader_.left(); }
  bool failed() const { return reader_.failed(); }

 private:
  ByteReader reader_;
  bool little_endian_;
};

}  // namespace tunnelwatch::wire
