#include "probes/io/interface_counters.h"

#include <fstream>

namespace tunnelwatch::io {

namespace {

std::optional<std::uint64_t> read_counter(const std::string& interface, const char* name) {
  std::ifstream file("/sys/class/net/" + interface + "/statistics/" + name);
  std::uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

}  // namespace

std::optional<InterfaceCounters> interface_counters(const std::string& interface) {
  if (interface.empty() || interface == "." || interface == ".." || interface.find('/') != std::string::npos)
    return std::nullopt;
  const auto sent = read_counter(interface, "tx_bytes");
  const auto received = read_counter(interface, "rx_bytes");
  if (!sent || !received) return std::nullopt;
  return InterfaceCounters{*sent, *received};
}

}  // namespace tunnelwatch::io
