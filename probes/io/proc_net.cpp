#include "probes/io/proc_net.h"

#include <fstream>
#include <string>

namespace tunnelwatch::io {

namespace {

std::string text_of(const char* name) {
  constexpr std::size_t kMost = 64U << 10;
  std::ifstream file(std::string("/proc/thread-self/net/") + name);
  std::string text(kMost, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

std::optional<host::XfrmStat> read_xfrm_stat() { return host::parse_xfrm_stat(text_of("xfrm_stat")); }

std::optional<host::IpCounters> read_ip_counters() {
  return host::parse_ip_counters(text_of("snmp"), text_of("netstat"));
}

std::optional<std::uint64_t> read_conntrack_drops() {
  return host::parse_conntrack_drops(text_of("stat/nf_conntrack"));
}

}  // namespace tunnelwatch::io
