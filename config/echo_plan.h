#pragma once

#include "config/settings.h"

#include <string>
#include <vector>

namespace tunnelwatch::config {

// How a target is pinged once its own options, its group's and the defaults are put together.
struct EchoPlan {
  milliseconds interval{0};
  milliseconds timeout{0};
  std::uint16_t payload_bytes = 0;
  bool dont_fragment = false;
  std::uint16_t burst = 1;
  std::uint8_t dscp = 0;
  std::uint8_t ttl = 0;  // 0: the kernel's default
  std::optional<IpAddress> source;
  std::string interface;
  std::uint32_t fwmark = 0;  // 0: none
  AddressFamily family = AddressFamily::any;
  std::vector<Label> labels;  // by name
  bool operator==(const EchoPlan&) const = default;
};

// What the agent pings of its own accord: peers, references, inner hosts.
EchoPlan plan_of(const IcmpProbe& defaults);
// A group that is not there is none.
EchoPlan plan_of(const Settings& settings, const Target& target);

}  // namespace tunnelwatch::config
