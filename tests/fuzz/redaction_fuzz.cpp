#include "agent/bundle/redaction.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string>

// Whatever stands before it, a secret in a line of its own does not get through.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  constexpr std::string_view kHidden = "hidden-from-everybody";
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find(kHidden) != std::string::npos) return 0;
  for (const char* line : {"psk: ", "- api_key = ", "{\"token\": \"", "url: x://a:"}) {
    const std::string planted = text + "\n" + line + std::string(kHidden) + "@\"}\nname: x\n";
    const std::string out = bundle::without_secrets(planted);
    fuzz::check(out.find(kHidden) == std::string::npos);
  }
  return 0;
}
