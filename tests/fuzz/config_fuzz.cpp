#include "config/dump.h"
#include "config/load.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// No text makes the loader throw or hang, a refused one has an error, and what loads is dumped to text that loads to
// the same settings.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch::config;
  const auto loaded = load_text({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (loaded.settings.has_value() != loaded.errors.empty()) std::abort();
  for (const auto& error : loaded.errors) {
    if (error.message.empty() || to_string(error).size() > 4096) std::abort();
  }
  if (!loaded) return 0;
  const auto again = load_text(dump(*loaded.settings), "dump");
  if (!again || *again.settings != *loaded.settings) std::abort();
  return 0;
}
