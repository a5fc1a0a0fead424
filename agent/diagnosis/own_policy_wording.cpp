#include "agent/diagnosis/own_policy_wording.h"

#include <string>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

namespace {

// As nft says it: "ip filter forward".
std::string chain_of(const host::FilterRule& rule) {
  struct Family {
    std::uint8_t number;
    const char* name;
  };
  constexpr Family kFamilies[] = {{1, "inet"}, {2, "ip"}, {3, "arp"}, {5, "netdev"}, {7, "bridge"}, {10, "ip6"}};
  std::string name = std::to_string(rule.family);
  for (const Family& family : kFamilies) {
    if (family.number == rule.family) name = family.name;
  }
  return name + " " + rule.table + " " + rule.chain;
}

}  // namespace

Text describe_no_forwarding(const IpPrefix& subnet, std::string_view interface) {
  return {fmt::format("IPv4 forwarding is off and packets for others are refused (InAddrErrors rises), while {} lies "
                      "behind {}",
                      subnet.to_string(), interface),
          fmt::format("IPv4转发已关闭，需转发的报文被拒绝（InAddrErrors增长），而 {} 位于接口 {} 之后",
                      subnet.to_string(), interface)};
}

Text describe_reverse_path_drops() {
  return {"rp_filter drops packets here (IPReversePathFilter rises) while what comes back by the tunnel gets nowhere",
          "rp_filter正在丢弃报文（IPReversePathFilter增长），经隧道返回的流量无法到达"};
}

Text describe_connection_drops(std::uint64_t packets) {
  return {fmt::format("the tracking of connections drops packets, as it does when its table is full: {} more", packets),
          fmt::format("连接跟踪正在丢弃报文（连接跟踪表已满时即如此）：新增 {} 个", packets)};
}

Text describe_filter_drop(const host::FilterRule& rule, const IpPrefix& source, const IpPrefix& destination,
                          std::uint64_t packets) {
  return {fmt::format("rule {} of the chain {} of nftables drops packets of {} -> {}: {} more", rule.handle,
                      chain_of(rule), source.to_string(), destination.to_string(), packets),
          fmt::format("nftables链 {} 的规则 {} 丢弃 {} -> {} 的报文：新增 {} 个", chain_of(rule), rule.handle,
                      source.to_string(), destination.to_string(), packets)};
}

}  // namespace tunnelwatch::diagnosis
