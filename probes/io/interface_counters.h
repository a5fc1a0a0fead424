#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tunnelwatch::io {

// What an interface has carried since it is there, in bytes with their link headers.
struct InterfaceCounters {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

// From /sys/class/net; nothing where there is no such interface or it cannot be read.
std::optional<InterfaceCounters> interface_counters(const std::string& interface);

}  // namespace tunnelwatch::io
