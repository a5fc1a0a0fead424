#pragma once

#include "probes/host/filter_view.h"
#include "probes/host/netlink_answer.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <vector>

// Rules of NETLINK_NETFILTER (linux/netfilter/nf_tables.h) as bytes: what is asked, and what the kernel answers.
namespace tunnelwatch::host {

// For the rules of all families.
std::vector<std::uint8_t> build_rules_request(std::uint32_t sequence);

// What one or several datagrams of an answer hold, put into the view. Messages of another sequence and rules without a
// verdict are passed over; a list that is full makes the view incomplete. What a rule asks for beside addresses is not
// understood, but noted: `narrower`.
NetlinkAnswer parse_rules(wire::Bytes bytes, std::uint32_t sequence, FilterView& view);

}  // namespace tunnelwatch::host
