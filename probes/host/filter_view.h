#pragma once

#include "config/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The rules of this machine's packet filter (nftables) as far as they tell what happens to whose packets.
namespace tunnelwatch::host {

enum class FilterVerdict : std::uint8_t {
  drops,     // drop, reject
  passes,    // accept
  leads_on,  // to another chain, back, or to user space
};

struct FilterRule {
  std::uint8_t family = 0;  // NFPROTO_..., of its table
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;
  FilterVerdict verdict = FilterVerdict::leads_on;
  std::optional<IpPrefix> source;  // nothing: any
  std::optional<IpPrefix> destination;
  bool narrower = false;                 // it asks for something else, too: protocols, ports, sets, what is not
  std::optional<std::uint64_t> packets;  // that passed all its matches; nothing: it does not count them
  bool operator==(const FilterRule&) const = default;
};

struct FilterView {
  static constexpr std::size_t kMaxRules = 8192;

  std::vector<FilterRule> rules;  // those with a verdict, in the order of each chain
  bool complete = false;          // false: more than fits, or a part could not be read; absence says nothing then
};

}  // namespace tunnelwatch::host
