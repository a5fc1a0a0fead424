#pragma once

#include "probes/host/kernel_view.h"
#include "probes/host/netlink_answer.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <optional>
#include <vector>

// rtnetlink (rtnetlink(7)) as bytes, in the byte order of this machine: requests, and what the kernel answers.
namespace tunnelwatch::host {

enum class KernelTable : std::uint8_t { links, addresses, routes, neighbours };

std::vector<std::uint8_t> build_dump_request(KernelTable table, std::uint32_t sequence);
// Where packets for this address go; or the route that says so, with all its next hops (Linux 4.13).
std::vector<std::uint8_t> build_way_request(const IpAddress& destination, std::uint32_t sequence,
                                            bool whole_route = false);

// What one or several datagrams hold, put into the view: links, addresses, routes, neighbours. Messages of another
// sequence (nothing: events, of any), and of kinds and families that are none of these, are passed over; a list that is
// full makes the view incomplete.
NetlinkAnswer parse_netlink(wire::Bytes bytes, std::optional<std::uint32_t> sequence, KernelView& view);

}  // namespace tunnelwatch::host
