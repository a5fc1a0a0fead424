#include "exporters/text/printable.h"
#include "exporters/web/endpoints.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace tunnelwatch::exporters;
using tunnelwatch::fuzz::check;

// Each byte that a URL would not carry as it is, as %XX.
std::string percent_encoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

// A request's target, or a header's value: what is understood can be said again, and any name of a tunnel comes
// through.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  accepts_gzip(text);
  if (const auto target = parse_target(text)) {
    const Endpoint* endpoint = find_endpoint(target->path);
    check(endpoint == nullptr || endpoint->path == target->path);
    check(path_label(endpoint) == (endpoint == nullptr ? "other" : target->path));
    if (target->tunnel) check(target->tunnel->size() <= text.size());
  }
  const auto named = parse_target("/api/v1/report?tunnel=" + percent_encoded(text));
  check(named && named->path == "/api/v1/report");
  check(named->tunnel == text);

  const std::string valid = valid_utf8(text);
  check(valid_utf8(valid) == valid);
  const std::string shown = printable(text);
  check(printable(shown) == shown && valid_utf8(shown) == shown);
  check(std::none_of(shown.begin(), shown.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
  check(display_width(shown) <= 2 * shown.size());
  return 0;
}
