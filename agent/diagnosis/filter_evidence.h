#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/host/filter_view.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tunnelwatch::diagnosis {

// A rule of the packet filter that names an address and has dropped packets between two looks.
struct FilterDrop {
  std::size_t rule = 0;  // among the rules of the later look
  std::uint64_t packets = 0;
};
inline constexpr std::size_t kMaxFilterDrops = 256;
std::vector<FilterDrop> drops_between(const host::FilterView& before, const host::FilterView& now);

// Whether packets between the subnets of a tunnel are among the dropped, in either direction. Likely where a rule takes
// all that goes from one to the other, and none before it in its chain lets any of that pass; else it may be meant so.
// Returns how many packets.
std::uint64_t judge_filter(Facts& facts, const config::Tunnel& tunnel, const host::FilterView& view,
                           std::span<const FilterDrop> drops, TimePoint now);

// The rules cannot be read any more.
void forget_filter(Facts& facts);

}  // namespace tunnelwatch::diagnosis
