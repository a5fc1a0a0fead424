#include "agent/diagnosis/traffic_wording.h"

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Text describe_both_ways() { return {"ESP passes both ways", "ESP 报文双向可达"}; }

Text describe_esp_loss(const EspLoss& in) {
  const double lower = 100 * in.ratio.lower;
  const double upper = 100 * in.ratio.upper;
  return {
      fmt::format("{} of the peer's {} ESP packets never came, by their sequence numbers ({:.1f} %, between {:.1f} % "
                  "and {:.1f} % with 95 % confidence)",
                  in.lost, in.expected, percent(in.lost, in.expected), lower, upper),
      fmt::format("按序列号计，对端的 {} 个 ESP 报文中有 {} 个未到达（{:.1f} %，95 % 置信区间 {:.1f} % 至 {:.1f} %）",
                  in.expected, in.lost, percent(in.lost, in.expected), lower, upper)};
}

Text describe_capture_loss(const EspLoss& out) {
  return {fmt::format("the capture missed {} of {} ESP packets that this gateway itself sent ({:.1f} %)", out.lost,
                      out.expected, percent(out.lost, out.expected)),
          fmt::format("抓包漏掉了本网关自身发出的 {} 个 ESP 报文中的 {} 个（{:.1f} %）", out.expected, out.lost,
                      percent(out.lost, out.expected))};
}

Text describe_asymmetry(std::string_view out, std::string_view in) {
  return {fmt::format("our IKE and ESP leave by {}, the peer's arrive on {}", out, in),
          fmt::format("本端 IKE/ESP 从 {} 发出，对端报文却从 {} 到达", out, in)};
}

Text describe_shared_egress(std::string_view out, std::string_view also, std::string_view in) {
  return {fmt::format("our IKE and ESP are shared out over {} and {}, the peer's arrive on {} alone", out, also, in),
          fmt::format("本端 IKE/ESP 分担到 {} 和 {} 发出，对端报文只从 {} 到达", out, also, in)};
}

Text describe_unexpected_egress(std::string_view out, std::string_view expected) {
  return {fmt::format("our IKE and ESP leave by {}, while they are configured to leave by {}", out, expected),
          fmt::format("本端 IKE/ESP 从 {} 发出，而配置的出口是 {}", out, expected)};
}

Text describe_flips(std::size_t switches, std::string_view now) {
  return {fmt::format("our IKE and ESP changed their interface {} times within 5 minutes, now they leave by {}",
                      switches, now),
          fmt::format("5 分钟内本端 IKE/ESP 的出接口切换了 {} 次，当前从 {} 发出", switches, now)};
}

Text describe_rate(const EspRate& rate) {
  constexpr double kMega = 1e6;
  const double mbit = rate.bits_per_second / kMega;
  const double limit = static_cast<double>(rate.limit) / kMega;
  const double part = 100 * mbit / limit;
  return {
      fmt::format("ESP went {} at {:.1f} Mbit/s over {:.1f} s, {:.0f} % of the {:.1f} Mbit/s that the cloud gateway is "
                  "sized for",
                  rate.outbound ? "out" : "in", mbit, to_seconds(rate.over), part, limit),
      fmt::format("ESP {}方向 {:.1f} 秒内平均 {:.1f} Mbit/s，为云上网关带宽 {:.1f} Mbit/s 的 {:.0f} %",
                  rate.outbound ? "出" : "入", to_seconds(rate.over), mbit, limit, part)};
}

Text describe_silent_host(const InnerHost& host, const InnerHost& beside, TimePoint now) {
  const double seconds = to_seconds(now - host.silent_since);
  const Text before = host.ever_answered ? Text{"though it answered before", "此前曾有应答"}
                                         : Text{"and it never did since the agent started", "自启动以来从未应答"};
  return {fmt::format("{} did not answer the last {} echoes in {:.1f} s, {}, while {} answers through the same tunnel",
                      host.name, host.losses, seconds, before.en, beside.name),
          fmt::format("{} 在 {:.1f} 秒内对最近 {} 个 ICMP 请求均无应答（{}），而 {} 经同一隧道应答正常", host.name,
                      seconds, host.losses, before.zh, beside.name)};
}

Text describe_silent_subnet(const IpPrefix& subnet, std::size_t hosts, const InnerHost& one, const InnerHost& beside) {
  return {fmt::format("none of the {} configured hosts in {} answers (such as {}), while {} answers through the same "
                      "tunnel",
                      hosts, subnet.to_string(), one.name, beside.name),
          fmt::format("{} 中配置的 {} 台主机（如 {}）均无应答，而 {} 经同一隧道应答正常", subnet.to_string(), hosts,
                      one.name, beside.name)};
}

Text describe_silent_hosts(std::size_t hosts, const InnerHost& one) {
  return {fmt::format("none of the {} configured inner hosts answers (such as {}), while the peer's ESP keeps coming",
                      hosts, one.name),
          fmt::format("配置的 {} 台内网主机（如 {}）均无应答，但对端的 ESP 报文持续到达", hosts, one.name)};
}

Text describe_unanswered_pings(const passive::TunnelPingSummary& pings, std::string_view address,
                               std::optional<bool> stands_here) {
  const double seconds = to_seconds(pings.last - pings.row_since);
  Text text{fmt::format("the last {} echo requests of {} to the tunnel address {} in {:.1f} s were not answered here",
                        pings.unanswered_in_a_row, pings.from.to_string(), address, seconds),
            fmt::format("{} 在 {:.1f} 秒内对隧道地址 {} 的最近 {} 个 ICMP 请求本端均未应答", pings.from.to_string(),
                        seconds, address, pings.unanswered_in_a_row)};
  if (!stands_here) return text;
  text.en += *stands_here ? "; the address is on an interface here, so a filter may drop them"
                          : "; the address is on no interface here";
  text.zh += *stands_here ? "；该地址已配置在本机接口上，可能被过滤规则丢弃" : "；本机没有接口配置该地址";
  return text;
}

Text describe_bgp_refusal(const passive::BgpObservation& o) {
  const std::string as_en = o.other_as == 0 ? "" : fmt::format(", which says AS {}", o.other_as);
  const std::string as_zh = o.other_as == 0 ? "" : fmt::format("（其声明的 AS 号为 {}）", o.other_as);
  const std::string own = o.as_number == 0 ? "" : fmt::format(" (AS {})", o.as_number);
  return {fmt::format("{}{} refused the BGP OPEN of {}{}: Bad Peer AS", o.speaker.to_string(), own, o.other.to_string(),
                      as_en),
          fmt::format("{}{} 以 Bad Peer AS 拒绝了 {} 的 BGP OPEN{}", o.speaker.to_string(), own, o.other.to_string(),
                      as_zh)};
}

Text describe_bgp_difference(const passive::BgpObservation& o, passive::Side by, std::uint32_t expected) {
  const bool ours = by == passive::Side::local;
  return {fmt::format("the BGP OPEN of {} ({}) says AS {}, configured is {}, and it was not accepted",
                      ours ? "this gateway" : "the peer", o.speaker.to_string(), o.as_number, expected),
          fmt::format("{}（{}）的 BGP OPEN 声明 AS {}，配置为 {}，且未被对方接受", ours ? "本网关" : "对端",
                      o.speaker.to_string(), o.as_number, expected)};
}

Text describe_leak(const passive::LeakSummary& leak, std::string_view interface) {
  const double seconds = to_seconds(leak.last - leak.first);
  const std::string where = interface.empty() ? "" : fmt::format(" on {}", interface);
  const std::string where_zh = interface.empty() ? "" : fmt::format("从 {} ", interface);
  const std::string source = leak.source.to_string();
  const std::string destination = leak.destination.to_string();
  Text text{fmt::format("{} packets for the cloud subnets left in clear{} in {:.1f} s, the last from {} to {}",
                        leak.packets, where, seconds, source, destination),
            fmt::format("{:.1f} 秒内 {} 个去往云上子网的报文{}以明文发出，最近一个从 {} 到 {}", seconds, leak.packets,
                        where_zh, source, destination)};
  if (leak.translated != 0) {
    text.en += fmt::format("; {} of them with an address of this gateway as source, as NAT makes it", leak.translated);
    text.zh += fmt::format("；其中 {} 个的源地址是本网关自身地址，符合被NAT转换的特征", leak.translated);
  }
  return text;
}

}  // namespace tunnelwatch::diagnosis
