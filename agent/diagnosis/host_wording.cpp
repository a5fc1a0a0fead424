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

}  // namespace tunnelwatch::diagnosis
