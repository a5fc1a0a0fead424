#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tunnelwatch::host {

// /proc/net/stat/nf_conntrack: how many packets the tracking of connections has dropped on all processors, mostly for
// want of room in its table; nothing where the text does not tell.
std::optional<std::uint64_t> parse_conntrack_drops(std::string_view text);

}  // namespace tunnelwatch::host
