#include "agent/diagnosis/daemon_alerts.h"
#include "probes/host/error_notify.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>

// A plugin that tells anything: one byte for the size of the pieces that it comes in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  if (size == 0) return 0;
  const wire::Bytes bytes(data + 1, size - 1);
  const std::size_t step = std::size_t{data[0]} * 8 + 1;
  host::ErrorNotifyStream stream;
  std::size_t told = 0;
  for (std::size_t at = 0; at < bytes.size() && !stream.failed(); at += step) {
    stream.feed(bytes.subspan(at, std::min(step, bytes.size() - at)));
    while (const auto notification = stream.next()) {
      ++told;
      check(notification->text.size() <= 384 && notification->connection.size() <= 64);
      for (const auto& hit : diagnosis::hits_of(*notification, true)) {
        check(hit.line.size() <= diagnosis::kMaxShownLine);
        check(!hit.peer || hit.connection.empty());
      }
    }
  }
  check(told <= bytes.size() / host::kErrorNotifySize);
  return 0;
}
