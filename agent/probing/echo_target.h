#pragma once

#include "config/settings.h"
#include "probes/active/echo_statistics.h"
#include "probes/active/icmp_echo.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::agent {

// What a target of ICMP echo is to its tunnel. Enumerators are label values.
enum class TargetRole : std::uint8_t { gateway, reference, inner, target };
std::string_view to_string(TargetRole role);

struct TargetKey {
  std::string tunnel;  // empty for a reference and a target of its own
  TargetRole role = TargetRole::reference;
  std::string target;  // as configured
  auto operator<=>(const TargetKey&) const = default;
};

// How a target is to be asked.
struct EchoWish {
  std::optional<IpAddress> address;  // nothing: its name is not known yet
  active::EchoParams params;
  std::vector<config::Label> labels;
  bool operator==(const EchoWish&) const = default;
};

struct EchoTarget {
  std::uint32_t id = 0;
  bool wanted = true;   // still in the settings
  bool changed = true;  // its window says something new
  active::EchoStatistics statistics;
  EchoWish wish;
};

}  // namespace tunnelwatch::agent
