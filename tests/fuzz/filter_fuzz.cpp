#include "agent/diagnosis/filter_evidence.h"
#include "probes/host/conntrack_stat.h"
#include "probes/host/egress_queue.h"
#include "probes/host/ip_counters.h"
#include "probes/host/nftables.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

// Any bytes as the rules of the packet filter, as the queues of the interfaces and as the kernel's counters, and what
// follows: bounded, and never more than was said.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  constexpr std::uint32_t kSequence = 7;
  host::FilterView view;
  view.complete = true;
  const auto answer = host::parse_rules({data, size}, kSequence, view);
  check(answer.messages <= size / 16 && answer.error >= 0 && view.rules.size() <= answer.messages);
  host::FilterView later = view;
  for (auto& rule : later.rules) {
    check(rule.table.size() + rule.chain.size() <= size);
    check(!rule.source || rule.source->length <= 8 * rule.source->address.bytes().size());
    if (rule.packets && *rule.packets < ~std::uint64_t{0}) ++*rule.packets;
  }
  config::Tunnel tunnel;
  tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24"), *IpPrefix::parse("fd01::/64")};
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("fd02::/64")};
  diagnosis::Facts facts;
  const auto drops = diagnosis::drops_between(view, later);
  check(drops.size() <= later.rules.size());
  for (const auto& drop : drops) check(drop.rule < later.rules.size() && drop.packets != 0);
  const auto packets = diagnosis::judge_filter(facts, tunnel, later, drops, TimePoint{});
  check(packets == 0 || !drops.empty());

  host::EgressQueues queues;
  check(host::parse_queues({data, size}, kSequence, queues).messages >= queues.size());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  host::parse_conntrack_drops(text);
  host::parse_ip_counters(text, text);
  return 0;
}
