#pragma once

#include "probes/wire/byte_reader.h"

#include <cstdint>

namespace tunnelwatch::wire {

// A data attribute (RFC 2408 section 3.3, RFC 7296 section 3.3.5): the bit AF and a type, then a value of two bytes
// (AF set) or a length and that many bytes.
struct DataAttribute {
  std::uint16_t type = 0;
  std::uint32_t number = 0;  // the value, of a longer one the last four bytes
  Bytes value;
};

// Reads one; the reader has failed when it did not fit.
inline DataAttribute read_data_attribute(ByteReader& r) {
  const std::uint16_t head = r.u16();
  DataAttribute a;
  a.type = static_cast<std::uint16_t>(head & 0x7fff);
  const bool is_short = (head & 0x8000) != 0;
  a.value = r.take(is_short ? std::size_t{2} : std::size_t{r.u16()});
  for (const std::uint8_t byte : a.value) a.number = a.number << 8 | byte;
  return a;
}

}  // namespace tunnelwatch::wire
