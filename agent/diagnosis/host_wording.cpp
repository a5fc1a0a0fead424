#include "agent/diagnosis/host_wording.h"

#include "exporters/text/printable.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

namespace {

std::string listed(const host::DaemonSelectors& selectors) {
  constexpr std::size_t kShown = 4;
  std::string text;
  std::size_t shown = 0;
  const auto add = [&](const std::string& item) {
    if (++shown <= kShown) text += (text.empty() ? "" : ", ") + item;
  };
  for (const IpPrefix& p : selectors.subnets) add(p.to_string());
  for (const IpPrefix& p : selectors.narrowed) add(p.to_string() + " for some protocols or ports");
  if (selectors.dynamic) add("dynamic");
  if (shown > kShown) text += ", ...";
  return text.empty() ? "none" : text;
}

}  // namespace

Text describe_selectors(std::string_view connection, const IpPrefix& subnet, bool local,
                        const host::DaemonSelectors& told) {
  const std::string name = exporters::printable(connection);
  const char* const which = local ? "local_ts" : "remote_ts";
  return {fmt::format("the IKE daemon's connection {} does not cover {}: its {} is {}", name, subnet.to_string(), which,
                      listed(told)),
          fmt::format("IKE 守护进程的连接 {} 未覆盖 {}：其 {} 为 {}", name, subnet.to_string(), which, listed(told))};
}

Text describe_narrowing(const IpPrefix& subnet, bool local, const host::DaemonSelectors& agreed) {
  return {
      fmt::format("the IPsec SA carries only {} of {} {}", listed(agreed),
                  local ? "the local subnet" : "the remote subnet", subnet.to_string()),
      fmt::format("IPsec SA 对{} {} 只承载 {}", local ? "本端子网" : "对端子网", subnet.to_string(), listed(agreed))};
}

Text describe_transport_mode(std::string_view child) {
  const std::string name = exporters::printable(child);
  return {fmt::format("the IKE daemon's child {} is set to transport mode", name),
          fmt::format("IKE 守护进程的子连接 {} 配置为传输模式", name)};
}

Text describe_missing_child(std::string_view connection) {
  const std::string name = exporters::printable(connection);
  return {fmt::format("the IKE daemon's SA of connection {} stands without an IPsec SA", name),
          fmt::format("IKE 守护进程的连接 {} 已建立 IKE SA，但没有 IPsec SA", name)};
}

Text describe_daemon_deletion(bool by_peer) {
  if (by_peer) return {"the IKE daemon says that the peer deleted the IKE SA", "IKE 守护进程记录：对端删除了 IKE SA"};
  return {"the IKE daemon deleted the IKE SA by itself or as it was told", "本端 IKE 守护进程删除了 IKE SA"};
}

Text describe_replaced_children(std::size_t times) {
  return {fmt::format("the IKE daemon's IPsec SAs took over from each other {} times within ten minutes", times),
          fmt::format("IKE 守护进程的 IPsec SA 在十分钟内被替换 {} 次", times)};
}

Text describe_unknown_spis(std::uint64_t messages) {
  return {fmt::format("the IKE daemon counted {} more messages of IKE SAs that it does not know", messages),
          fmt::format("IKE 守护进程统计到 {} 个属于未知 IKE SA 的报文", messages)};
}

Text describe_absent_address(const IpAddress& address, bool of_tunnel) {
  return {fmt::format("the configured {} address {} is on no interface here", of_tunnel ? "tunnel" : "local",
                      address.to_string()),
          fmt::format("本机没有接口配置{}地址 {}", of_tunnel ? "隧道" : "本端", address.to_string())};
}

Text describe_remote_address_here(const IpAddress& address) {
  const std::string text = address.to_string();
  return {fmt::format("the configured remote address {} is one of this machine", text),
          fmt::format("配置的对端地址 {} 是本机的地址", text)};
}

Text describe_translated_flows(const host::TrackedFlow& flow, std::uint64_t count) {
  const std::string from = flow.source.to_string();
  const std::string to = flow.destination.to_string();
  const std::string as = flow.answered_at.to_string();
  return {fmt::format("this machine translates {} connections into the remote subnets, such as {} to {}, which leaves "
                      "as {}",
                      count, from, to, as),
          fmt::format("本机对 {} 条去往远端子网的连接做了地址转换，例如 {} 到 {} 以 {} 发出", count, from, to, as)};
}

Text describe_client_link(std::string_view interface) {
  return {fmt::format("the OpenVPN client's interface {} stands", interface),
          fmt::format("OpenVPN 客户端接口 {} 已存在", interface)};
}

Text describe_no_route(std::string_view to) {
  return {fmt::format("there is no route to {}", to), fmt::format("没有到 {} 的路由", to)};
}

Text describe_other_interface(std::string_view to, std::string_view by, std::string_view expected) {
  return {fmt::format("packets for {} leave by {}, while they are configured to leave by {}", to, by, expected),
          fmt::format("去往 {} 的报文从 {} 发出，而配置的接口是 {}", to, by, expected)};
}

Text describe_partial_route(const IpPrefix& subnet, std::string_view interface, const std::vector<IpPrefix>& routed) {
  host::DaemonSelectors parts;
  for (const IpPrefix& p : routed) {
    if (p.overlaps(subnet)) parts.subnets.push_back(p);
  }
  return {fmt::format("of {} only {} is routed to {}", subnet.to_string(), listed(parts), interface),
          fmt::format("{} 中只有 {} 的路由指向 {}", subnet.to_string(), listed(parts), interface)};
}

Text describe_route_via_peer(std::string_view to, const IpAddress& peer) {
  return {
      fmt::format("the route to {} has the peer's own address {} as next hop, which is on no network of this machine",
                  to, peer.to_string()),
      fmt::format("到 {} 的路由以对端网关地址 {} 为下一跳，而本机没有与其直连的网络", to, peer.to_string())};
}

Text describe_route_on_link(const IpAddress& peer, std::string_view interface) {
  return {fmt::format(
              "the route to {} names only the interface {} and no next hop, and nobody there answers for that address",
              peer.to_string(), interface),
          fmt::format("到 {} 的路由只指定了出接口 {} 而没有下一跳，该接口上没有设备应答此地址的ARP", peer.to_string(),
                      interface)};
}

// `expected` may be empty.
Text describe_shared_route(std::string_view to, const std::vector<std::string>& lines, std::string_view expected) {
  Text text{
      fmt::format("the route to {} has next hops on {}: what goes there is shared out", to, fmt::join(lines, " and ")),
      fmt::format("到 {} 的路由在 {} 上有多个下一跳，流量被分担", to, fmt::join(lines, "、"))};
  if (!expected.empty()) {
    text.en += fmt::format(", and only {} is configured", expected);
    text.zh += fmt::format("，而配置的出接口只有 {}", expected);
  }
  return text;
}

Text describe_failed_next_hop(const IpAddress& next_hop, std::string_view interface) {
  return {
      fmt::format("the next hop {} on {} does not answer ARP or neighbour discovery", next_hop.to_string(), interface),
      fmt::format("{} 上的下一跳 {} 不应答ARP/邻居发现", interface, next_hop.to_string())};
}

}  // namespace tunnelwatch::diagnosis
