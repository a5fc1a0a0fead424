#include "probes/host/egress_queue.h"

#include "probes/host/netlink_bytes.h"

#include <algorithm>
#include <optional>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::host {

namespace {

using namespace netlink;

constexpr std::size_t kMaxKind = 16;  // IFNAMSIZ

// False where nothing counts.
bool read_statistics(Bytes nested, EgressQueue& queue) {
  bool counts = false;
  each_attribute(nested, [&](unsigned type, Bytes value) {
    constexpr std::size_t kBytes = sizeof(std::uint64_t);  // gnet_stats_basic: they come before the packets
    if (type == TCA_STATS_BASIC && value.size() >= kBytes) {
      queue.packets = read<std::uint32_t>(value.subspan(kBytes)).value_or(0);
    } else if (type == TCA_STATS_QUEUE) {
      const auto statistics = read<gnet_stats_queue>(value);
      if (!statistics) return;
      counts = true;
      queue.drops = statistics->drops;
      queue.waiting_bytes = statistics->backlog;
    }
  });
  return counts;
}

bool read_queue(Bytes body, EgressQueues& queues) {
  const auto head = read<tcmsg>(body);
  if (!head) return false;
  EgressQueue queue;
  bool counts = false;
  const bool fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type == TCA_KIND && !value.empty()) {
      const auto* name = reinterpret_cast<const char*>(value.data());
      queue.kind.assign(name, strnlen(name, std::min(value.size(), kMaxKind)));
    } else if (type == TCA_STATS2) {
      counts = read_statistics(value, queue);
    }
  });
  if (fits && counts && head->tcm_parent == TC_H_ROOT && queues.size() < kMaxEgressQueues)
    queues[static_cast<std::uint32_t>(head->tcm_ifindex)] = queue;
  return fits;
}

}  // namespace

std::vector<std::uint8_t> build_queues_request(std::uint32_t sequence) {
  std::vector<std::uint8_t> out;
  put(out, header(RTM_GETQDISC, NLM_F_DUMP, sequence));
  put(out, tcmsg{});
  return finished(std::move(out));
}

NetlinkAnswer parse_queues(Bytes bytes, std::uint32_t sequence, EgressQueues& queues) {
  return each_message(bytes, sequence, [&](const nlmsghdr& head, Bytes body) {
    return head.nlmsg_type != RTM_NEWQDISC || read_queue(body, queues);
  });
}

}  // namespace tunnelwatch::host
