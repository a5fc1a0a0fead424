#include "probes/host/ip_counters.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::host {

namespace {

// Up to the first of `ends`, which is taken away with it.
std::string_view cut(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

// "Ip: Forwarding DefaultTTL ..." and below it "Ip: 2 64 ..."
std::optional<std::uint64_t> count(std::string_view text, std::string_view group, std::string_view name) {
  while (!text.empty()) {
    std::string_view names = cut(text, '\n');
    if (cut(names, ' ') != group) continue;
    std::string_view values = cut(text, '\n');
    if (cut(values, ' ') != group) return std::nullopt;
    while (!names.empty() && !values.empty()) {
      const std::string_view value = cut(values, ' ');
      if (cut(names, ' ') != name) continue;
      std::uint64_t number = 0;
      const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
      return read.ec == std::errc{} && read.ptr == value.data() + value.size() ? std::optional(number) : std::nullopt;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpCounters> parse_ip_counters(std::string_view snmp, std::string_view netstat) {
  constexpr std::uint64_t kForwards = 1;  // RFC 1213, ipForwarding; 2: it does not
  const auto forwarding = count(snmp, "Ip:", "Forwarding");
  const auto refused = count(snmp, "Ip:", "InAddrErrors");
  const auto reverse_path = count(netstat, "TcpExt:", "IPReversePathFilter");
  if (!forwarding || !refused || !reverse_path) return std::nullopt;
  return IpCounters{*forwarding == kForwards, *refused, *reverse_path};
}

}  // namespace tunnelwatch::host
