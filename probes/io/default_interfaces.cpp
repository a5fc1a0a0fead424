#include "probes/io/default_interfaces.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

namespace tunnelwatch::io {

namespace {

constexpr unsigned kRouteUp = 0x0001;
constexpr unsigned kRouteReject = 0x0200;
constexpr std::size_t kMaxInterfaces = 64;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const auto from = line.find_first_not_of(" \t");
    if (from == std::string_view::npos) return fields;
    line.remove_prefix(from);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

bool is_usable(std::string_view flags_text) {
  unsigned flags = 0;
  const auto [end, error] = std::from_chars(flags_text.data(), flags_text.data() + flags_text.size(), flags, 16);
  return error == std::errc{} && end == flags_text.data() + flags_text.size() && (flags & kRouteUp) != 0 &&
         (flags & kRouteReject) == 0;
}

// Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
std::optional<std::string_view> of_ipv4(const std::vector<std::string_view>& f) {
  if (f.size() < 8 || f[1] != "00000000" || f[7] != "00000000" || !is_usable(f[3])) return std::nullopt;
  return f[0];
}

// destination length source length next-hop metric refcount use flags device
std::optional<std::string_view> of_ipv6(const std::vector<std::string_view>& f) {
  if (f.size() < 10 || f[0] != std::string(32, '0') || f[1] != "00" || !is_usable(f[8])) return std::nullopt;
  return f[9];
}

template <typename Parse>
void collect(std::string_view text, Parse parse, std::vector<std::string>& names) {
  while (!text.empty() && names.size() < kMaxInterfaces) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto name = parse(fields_of(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!name || *name == "lo" || std::find(names.begin(), names.end(), *name) != names.end()) continue;
    names.emplace_back(*name);
  }
}

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> default_route_interfaces(std::string_view ipv4_routes, std::string_view ipv6_routes) {
  std::vector<std::string> names;
  collect(ipv4_routes, of_ipv4, names);
  collect(ipv6_routes, of_ipv6, names);
  return names;
}

std::vector<std::string> default_interfaces() {
  return default_route_interfaces(read_file("/proc/self/net/route"), read_file("/proc/self/net/ipv6_route"));
}

}  // namespace tunnelwatch::io
