#pragma once

#include "probes/host/netlink_answer.h"
#include "probes/host/xfrm_view.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <vector>

// NETLINK_XFRM (linux/xfrm.h) as bytes, in the byte order of this machine: requests, what the kernel answers, and what
// it tells by itself. States come with their keys: of an algorithm only its name and the key's length are read, the key
// bytes behind them are never looked at and nothing of them is kept. The caller wipes what it received.
namespace tunnelwatch::host {

enum class XfrmTable : std::uint8_t { policies, states };

std::vector<std::uint8_t> build_xfrm_request(XfrmTable table, std::uint32_t sequence);

// What one or several datagrams of an answer hold, put into the view. Messages of another sequence, and of families
// that are neither IPv4 nor IPv6, are passed over; a list that is full makes the view incomplete.
NetlinkAnswer parse_xfrm(wire::Bytes bytes, std::uint32_t sequence, XfrmView& view);

// What one datagram of the multicast groups says, appended; false where it is malformed: what came before it counts.
bool parse_xfrm_events(wire::Bytes bytes, std::vector<XfrmEvent>& events);

}  // namespace tunnelwatch::host
