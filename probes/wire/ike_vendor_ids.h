#pragma once

#include "probes/wire/byte_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// Who made the IKE of the other end, and what it can do beyond the RFCs: the Vendor ID payload (RFC 7296 section 3.12,
// RFC 2408 section 3.16) of both versions.
namespace tunnelwatch::wire {

// The bytes of an ID, in place. Only constants are made of it: what does not fit does not compile.
struct VendorIdBytes {
  static constexpr std::size_t kMost = 64;
  std::array<std::uint8_t, kMost> bytes{};
  std::uint8_t size = 0;

  constexpr Bytes view() const { return {bytes.data(), size}; }
};

// How what follows a known beginning is told.
enum class VendorTail : std::uint8_t {
  none,          // the ID is these bytes and no others
  bytes,         // as bounded hex
  text,          // as text, with the beginning: it is text too
  version,       // two bytes, major and minor
  windows,       // four bytes, the version of Windows' IKE
  fortigate,     // two bytes release, two bytes build; zero: not told
  checkpoint,    // product and version, four bytes each, and more
  capabilities,  // four bytes of flags
};

struct VendorIdRow {
  std::string_view name;
  VendorIdBytes id;
  VendorTail tail = VendorTail::none;
  std::string_view md5_of{};  // the text whose MD5, or its beginning, the ID is; empty: published as bytes, or is text
};

// Those of a common beginning: the longer ID first.
std::span<const VendorIdRow> vendor_id_rows();

// The row that fits, or null.
const VendorIdRow* find_vendor_id(Bytes body) noexcept;

// For people, one short line of printable ASCII: "strongSwan", "DPD 1.0", "FortiGate 7.0 build 304"; what is unknown as
// hex of at most 20 bytes, and as text where it is that.
std::string vendor_id_name(Bytes body);

}  // namespace tunnelwatch::wire
