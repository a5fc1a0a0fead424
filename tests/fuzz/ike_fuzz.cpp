#include "probes/wire/ike.h"
#include "probes/wire/ike_names.h"
#include "probes/wire/ike_payloads.h"

#include <cstdlib>

// One message: views lie inside the input, and what is read of it can be named.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  if (size == 0) return 0;
  const bool cut = (data[0] & 1) != 0;
  const wire::Bytes bytes(data + 1, size - 1);
  const auto message = wire::parse_ike(bytes, cut);
  if (!message) return 0;
  for (const auto& p : message->payloads) {
    if (!p.body.empty() &&
        (p.body.data() < bytes.data() || p.body.data() + p.body.size() > bytes.data() + bytes.size()))
      std::abort();
    if (const auto sa = wire::parse_sa_v2(p.body)) {
      for (const auto& proposal : *sa) wire::to_string(proposal);
    }
    if (const auto sa = wire::parse_sa_v1(p.body)) {
      for (const auto& suite : *sa) wire::to_string(suite);
    }
    wire::parse_notify_v1(p.body);
    wire::parse_notify_v2(p.body);
    wire::parse_ke_group_v2(p.body);
  }
  return 0;
}
