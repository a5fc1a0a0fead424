#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// What IPv4 of this machine counts (proc_net_snmp(5)): whether it forwards at all, and what it drops instead.
namespace tunnelwatch::host {

struct IpCounters {
  bool forwards = false;           // net.ipv4.ip_forward
  std::uint64_t refused = 0;       // Ip InAddrErrors: for others, on an interface that does not forward
  std::uint64_t reverse_path = 0;  // TcpExt IPReversePathFilter: from where no answer would leave, by rp_filter
  bool operator==(const IpCounters&) const = default;
};

// The texts of /proc/net/snmp and /proc/net/netstat; nothing where one of the counts is missing.
std::optional<IpCounters> parse_ip_counters(std::string_view snmp, std::string_view netstat);

}  // namespace tunnelwatch::host
