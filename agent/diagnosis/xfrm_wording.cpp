#include "agent/diagnosis/xfrm_wording.h"

#include "agent/diagnosis/xfrm_index.h"

#include <string>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using host::XfrmMode;
using host::XfrmPolicy;
using host::XfrmState;

namespace {

std::string flow(const XfrmPolicy& policy) {
  return fmt::format("{} -> {}", policy.selector.source.to_string(), policy.selector.destination.to_string());
}

std::string ends(const XfrmState& state) {
  return fmt::format("{:#010x} ({} -> {})", state.spi, state.source.to_string(), state.destination.to_string());
}

const char* name_of(XfrmMode mode) {
  if (mode == XfrmMode::transport) return "transport";
  return mode == XfrmMode::tunnel ? "tunnel" : "other";
}

// The limit that it reached.
Text limit_of(const XfrmState& s) {
  if (s.hard.packets != 0 && s.packets >= s.hard.packets)
    return {fmt::format("{} packets", s.hard.packets), fmt::format("{}个报文", s.hard.packets)};
  if (s.hard.bytes != 0 && s.bytes >= s.hard.bytes)
    return {fmt::format("{} bytes", s.hard.bytes), fmt::format("{}字节", s.hard.bytes)};
  const std::uint64_t seconds = s.hard.seconds != 0 ? s.hard.seconds : s.hard.used_seconds;
  return {fmt::format("{} s", seconds), fmt::format("{}秒", seconds)};
}

}  // namespace

Text describe_absent_policy(const IpPrefix& local, const IpPrefix& remote, const IpAddress& peer) {
  return {fmt::format("no IPsec policy of the kernel covers {} -> {}, while others are for {}", local.to_string(),
                      remote.to_string(), peer.to_string()),
          fmt::format("内核中没有IPsec策略覆盖 {} -> {}，而存在去往 {} 的其他策略或SA", local.to_string(),
                      remote.to_string(), peer.to_string())};
}

Text describe_policy_conflict(const XfrmPolicy& own, const XfrmPolicy& other) {
  const std::string to = peer_of(own).value_or(IpAddress()).to_string();
  const std::string other_to = peer_of(other).value_or(IpAddress()).to_string();
  if (own.priority == other.priority) {
    return {fmt::format("the policies {} to {} and {} to {} overlap and have the same priority {}", flow(own), to,
                        flow(other), other_to, own.priority),
            fmt::format("策略 {}（对端 {}）与 {}（对端 {}）重叠且优先级同为 {}", flow(own), to, flow(other), other_to,
                        own.priority)};
  }
  return {fmt::format("the policy {} to {} takes all that {} to {} is for: its priority {} goes before {}", flow(other),
                      other_to, flow(own), to, other.priority, own.priority),
          fmt::format("策略 {}（对端 {}）完全覆盖 {}（对端 {}），且其优先级 {} 先于 {}", flow(other), other_to,
                      flow(own), to, other.priority, own.priority)};
}

Text describe_peer_inside(const XfrmPolicy& policy, const IpAddress& peer) {
  return {fmt::format("the policy {} sends packets for the peer {} itself into the tunnel, and none lets them pass",
                      flow(policy), peer.to_string()),
          fmt::format("策略 {} 将去往对端 {} 自身的报文也送入隧道，且没有旁路策略", flow(policy), peer.to_string())};
}

Text describe_transport_state(const XfrmState& state) {
  return {fmt::format("the kernel's SA {} is in transport mode", ends(state)),
          fmt::format("内核SA {} 为传输模式", ends(state))};
}

Text describe_mode_difference(const XfrmState& out, const XfrmState& in) {
  return {
      fmt::format("the kernel's SA {} is in {} mode and {} in {} mode", ends(out), name_of(out.mode), ends(in),
                  name_of(in.mode)),
      fmt::format("内核SA {} 为 {} 模式，而 {} 为 {} 模式", ends(out), name_of(out.mode), ends(in), name_of(in.mode))};
}

Text describe_hard_expiry(const XfrmState& state) {
  const Text limit = limit_of(state);
  return {fmt::format("the kernel's SA {} ended at its hard limit of {} without a successor", ends(state), limit.en),
          fmt::format("内核SA {} 达到硬上限（{}）而失效，且没有后继SA", ends(state), limit.zh)};
}

Text describe_unknown_spi(const IpAddress& peer, std::uint32_t spi) {
  return {fmt::format("{} sends ESP with SPI {:#010x}, which no SA of the kernel has, and XfrmInNoStates rises",
                      peer.to_string(), spi),
          fmt::format("{} 以SPI {:#010x} 发送ESP，内核中没有对应的SA，XfrmInNoStates持续增长", peer.to_string(), spi)};
}

}  // namespace tunnelwatch::diagnosis
