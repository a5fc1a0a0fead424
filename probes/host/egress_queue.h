#pragma once

#include "probes/host/netlink_answer.h"
#include "probes/wire/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// The queues in front of this machine's interfaces (RTM_GETQDISC of rtnetlink(7), TCA_STATS2 of linux/gen_stats.h), as
// bytes and in words of our own.
namespace tunnelwatch::host {

// Of an interface the outermost, which counts for those inside it. All begin anew with the queue, and `drops` and
// `packets` at 2^32, too.
struct EgressQueue {
  std::string kind;  // tbf, fq_codel, ...
  std::uint32_t packets = 0;
  std::uint32_t drops = 0;
  std::uint32_t waiting_bytes = 0;
  bool operator==(const EgressQueue&) const = default;
};

inline constexpr std::size_t kMaxEgressQueues = 4096;
using EgressQueues = std::map<std::uint32_t, EgressQueue>;  // by the interface's index

std::vector<std::uint8_t> build_queues_request(std::uint32_t sequence);

// What one or several datagrams of an answer hold, put into `queues`. Messages of another sequence, and queues that are
// not the outermost of an interface or do not count, are passed over.
NetlinkAnswer parse_queues(wire::Bytes bytes, std::uint32_t sequence, EgressQueues& queues);

}  // namespace tunnelwatch::host
