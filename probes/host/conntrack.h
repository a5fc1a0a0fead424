#pragma once

#include "config/ip_address.h"
#include "probes/host/netlink_answer.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <functional>
#include <vector>

// The kernel's connection tracking over NETLINK_NETFILTER (linux/netfilter/nfnetlink_conntrack.h) as bytes, in the byte
// order of this machine.
namespace tunnelwatch::host {

// A connection as its first packet came, and where the answers to it go: to another address than `source` where the
// source is translated here.
struct TrackedFlow {
  IpAddress source;
  IpAddress destination;
  IpAddress answered_at;
  bool is_translated() const { return answered_at != source; }
  bool operator==(const TrackedFlow&) const = default;
};

// For all connections of a family.
std::vector<std::uint8_t> build_conntrack_request(IpFamily family, std::uint32_t sequence);

// Hands over each connection that one or several datagrams of an answer hold. Messages of another sequence, and of
// connections without both directions, are passed over.
NetlinkAnswer parse_conntrack(wire::Bytes bytes, std::uint32_t sequence,
                              const std::function<void(const TrackedFlow&)>& take);

}  // namespace tunnelwatch::host
