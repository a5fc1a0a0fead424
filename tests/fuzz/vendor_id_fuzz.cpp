#include "probes/wire/ike_vendor_ids.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>

// Whoever the other end says that it is: one short printable line; and a row that fits does begin the ID.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  constexpr std::size_t kShort = 160;
  const wire::Bytes body(data, size);
  const std::string name = wire::vendor_id_name(body);
  check(!name.empty() && name.size() <= kShort);
  check(std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  if (const auto* row = wire::find_vendor_id(body)) {
    const wire::Bytes id = row->id.view();
    check(id.size() <= body.size() && std::equal(id.begin(), id.end(), body.begin()));
    check(row->tail != wire::VendorTail::none || id.size() == body.size());
  }
  return 0;
}
