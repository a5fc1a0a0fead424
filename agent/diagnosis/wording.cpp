#include "agent/diagnosis/wording.h"

#include "probes/wire/ike.h"
#include "probes/wire/ike_names.h"

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using passive::IkeObservation;
using passive::IkeSight;
using passive::Side;

namespace {

std::string_view en(Side side) { return side == Side::local ? "this gateway" : "the peer"; }
std::string_view zh(Side side) { return side == Side::local ? "本网关" : "对端"; }

std::string notify_name(const IkeObservation& o) {
  return o.version == 1 ? wire::notify_name_v1(o.notify) : wire::notify_name_v2(o.notify);
}

std::string request_name(const IkeObservation& o) {
  return o.exchange == 0 ? std::string("request") : wire::exchange_name(o.exchange);
}

Text unanswered(const IkeObservation& o) {
  const std::string seconds = fmt::format("{:.1f}", to_seconds(o.at - o.since));  // the dearest part, and wanted twice
  const std::string request = request_name(o);
  return {fmt::format("{} sent {} to UDP {} {} times in {} s and got no answer{}", en(o.by), request, o.port, o.sends,
                      seconds, o.fragmented ? "; the message travels in fragments" : ""),
          fmt::format("{}在 {} 秒内向 UDP {} 发送 {} {} 次，均无应答{}", zh(o.by), seconds, o.port, request, o.sends,
                      o.fragmented ? "；该报文以分片发送" : "")};
}

Text refused(const IkeObservation& o, std::string_view what_en, std::string_view what_zh) {
  return {fmt::format("{} answered {} with {} bytes: {}", en(o.by), request_name(o), o.length, what_en),
          fmt::format("{}应答 {}（{} 字节）：{}", zh(o.by), request_name(o), o.length, what_zh)};
}

Text describe_refusal(const IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::proposal_refused:
      return {fmt::format("{} answered {} with NO_PROPOSAL_CHOSEN: none of the offered IKE proposals suits it",
                          en(o.by), request_name(o)),
              fmt::format("{}以 NO_PROPOSAL_CHOSEN 应答 {}：所提 IKE 安全提议均不被接受", zh(o.by), request_name(o))};
    case IkeSight::connection_refused:
      return {
          fmt::format("{} answered {} with NO_PROPOSAL_CHOSEN: no common proposal, or, as strongSwan writes it, no "
                      "connection for this address or IKE version",
                      en(o.by), request_name(o)),
          fmt::format("{}以 NO_PROPOSAL_CHOSEN 应答 {}：没有共同的安全提议，或（strongSwan 的写法）没有与该地址或 IKE "
                      "版本匹配的连接配置",
                      zh(o.by), request_name(o))};
    case IkeSight::group_refused:
      return {fmt::format("{} answered with INVALID_KE_PAYLOAD and asks for DH group {}", en(o.by),
                          wire::key_exchange_name(o.group)),
              fmt::format("{}以 INVALID_KE_PAYLOAD 应答，要求 DH 组 {}", zh(o.by), wire::key_exchange_name(o.group))};
    case IkeSight::group_abandoned:
      return {fmt::format("{} was asked for DH group {}, which its offer {}, and did not come back with it", en(o.by),
                          wire::key_exchange_name(o.group), o.offered ? "holds" : "does not hold"),
              fmt::format("{}被要求使用 DH 组 {}（其提议中{}该组），但没有以该组重试", zh(o.by),
                          wire::key_exchange_name(o.group), o.offered ? "包含" : "不包含")};
    case IkeSight::group_inconsistent:
      return {
          fmt::format("{} sends a key exchange of DH group {}, which its own offer does not hold", en(o.by),
                      wire::key_exchange_name(o.group)),
          fmt::format("{}的密钥交换使用 DH 组 {}，但其自身提议不包含该组", zh(o.by), wire::key_exchange_name(o.group))};
    case IkeSight::version_crossed:
      return {fmt::format("{} answered in IKEv{} what was asked in the other version", en(o.by), o.version),
              fmt::format("{}以 IKEv{} 应答了另一版本的请求", zh(o.by), o.version)};
    case IkeSight::version_odd:
      return {fmt::format("{} sent a message of IKE version {}, which does not exist", en(o.by), o.version),
              fmt::format("{}发送了版本号为 {} 的 IKE 报文，该版本不存在", zh(o.by), o.version)};
    case IkeSight::answered_elsewhere:
      return {
          fmt::format("the answer to our IKE came from {}, not from the address that was asked", o.address.to_string()),
          fmt::format("对本端 IKE 请求的应答来自 {}，而不是所请求的地址", o.address.to_string())};
    case IkeSight::spi_changed:
      return {fmt::format("{} changed the responder's SPI (cookie) inside one negotiation", en(o.by)),
              fmt::format("{}在同一次协商中改变了响应方 SPI（cookie）", zh(o.by))};
    case IkeSight::cookie_challenged:
      return {fmt::format("{} answered IKE_SA_INIT with a COOKIE challenge: it limits first packets", en(o.by)),
              fmt::format("{}以 COOKIE 质询应答 IKE_SA_INIT：正在进行首包限速", zh(o.by))};
    case IkeSight::version_refused:
      return {fmt::format("{} answered with INVALID_MAJOR_VERSION", en(o.by)),
              fmt::format("{}以 INVALID_MAJOR_VERSION 应答", zh(o.by))};
    case IkeSight::mode_refused:
      return {fmt::format("{} answered the first message of {} with {} in clear", en(o.by), request_name(o),
                          notify_name(o)),
              fmt::format("{}以明文 {} 应答首条消息", zh(o.by), notify_name(o))};
    case IkeSight::clear_notify:
      return {fmt::format("{} sent {} in clear", en(o.by), notify_name(o)),
              fmt::format("{}以明文发送 {}", zh(o.by), notify_name(o))};
    case IkeSight::auth_refused:
      if (o.version == 1) {
        return {fmt::format("{} refused the authentication: an informational message in its place{}", en(o.by),
                            o.sends > 1 ? ", and the authentication message was repeated" : ""),
                fmt::format("{}拒绝了身份认证：以 INFORMATIONAL 消息代替应答{}", zh(o.by),
                            o.sends > 1 ? "，且认证消息被重传" : "")};
      }
      return refused(o, "one error notify and nothing else, so it refused the authentication",
                     "只含一个错误通知，即拒绝了身份认证");
    case IkeSight::eap_refused:
      return {fmt::format("{} ended the EAP rounds with a refusal", en(o.by)),
              fmt::format("{}在 EAP 认证后拒绝", zh(o.by))};
    case IkeSight::xauth_refused:
      return {"the XAuth exchanges ended and no quick mode followed", "XAuth 交换结束后没有进入快速模式"};
    case IkeSight::child_refused:
      return refused(o, "authenticated, but too short to bring a child SA", "身份认证通过，但长度不足以包含 IPsec SA");
    case IkeSight::rekey_refused:
      return refused(o, "a lone error notify to the request for new IPsec keys",
                     "对 IPsec 重协商请求只回了一个错误通知");
    case IkeSight::rekey_unknown:
      return refused(o, "a notify of the length of CHILD_SA_NOT_FOUND: the SA to be rekeyed is not there",
                     "通知长度与 CHILD_SA_NOT_FOUND 相符：待重协商的 SA 不存在");
    default:
      return {std::string(to_string(o.sight)), std::string(to_string(o.sight))};
  }
}

Text describe_fault(const IkeObservation& o) {
  switch (o.fault) {
    case passive::IkeFault::length:
      return {fmt::format("{} sent an IKE datagram of {} bytes whose length field does not fit", en(o.by), o.length),
              fmt::format("{}发送的 IKE 报文（{} 字节）长度字段不符", zh(o.by), o.length)};
    case passive::IkeFault::payload:
      return {fmt::format("{} sent an IKE message of {} bytes with a payload that does not parse", en(o.by), o.length),
              fmt::format("{}发送的 IKE 报文（{} 字节）含有无法解析的载荷", zh(o.by), o.length)};
    default:
      return {fmt::format("{} sent an IKE message of {} bytes that does not parse", en(o.by), o.length),
              fmt::format("{}发送了无法解析的 IKE 报文（{} 字节）", zh(o.by), o.length)};
  }
}

Text describe_life(const IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::ike_deleted:
      return {fmt::format("{} deleted the IKE SA and no other one lives", en(o.by)),
              fmt::format("{}删除了 IKE SA，且没有其他存活的 IKE SA", zh(o.by))};
    case IkeSight::child_deleted:
      return {fmt::format("{} deleted the last IPsec SA", en(o.by)),
              fmt::format("{}删除了最后一个 IPsec SA", zh(o.by))};
    case IkeSight::isakmp_deleted_alone:
      return {fmt::format("{} deleted the ISAKMP SA and none of its IPsec SAs", en(o.by)),
              fmt::format("{}只删除了 ISAKMP SA，没有删除其 IPsec SA", zh(o.by))};
    case IkeSight::ike_replaced:
      return {fmt::format("another IKE SA with the same peer took over, and {} deleted the one before", en(o.by)),
              fmt::format("与同一对端的另一个 IKE SA 已接替，{}删除了之前的 IKE SA", zh(o.by))};
    case IkeSight::ike_kicked:
      return {fmt::format("another IKE SA with the same peer was made, and {}, who had only answered it, deleted the "
                          "one before",
                          en(o.by)),
              fmt::format("与同一对端新建了 IKE SA，作为响应方的{}删除了之前的 IKE SA", zh(o.by))};
    case IkeSight::child_replaced:
      return {"a further IPsec SA took over and the one before was deleted, without a rekey",
              "新的 IPsec SA 接替并删除了旧的 IPsec SA，而不是通过重协商"};
    case IkeSight::port_changed:
      return {fmt::format("the peer's port changed to {} under a standing SA", o.port),
              fmt::format("SA 存续期间对端端口变为 {}", o.port)};
    case IkeSight::address_changed:
      return {fmt::format("the IKE SA goes on with {}", o.address.to_string()),
              fmt::format("IKE SA 转到地址 {} 继续", o.address.to_string())};
    case IkeSight::many_fragments:
      return {fmt::format("{} sent a message in {} IKE fragments", en(o.by), o.sends),
              fmt::format("{}以 {} 个 IKE 分片发送一个报文", zh(o.by), o.sends)};
    case IkeSight::uncritical_payload:
      return {fmt::format("{} sent a payload of an unknown type", en(o.by)),
              fmt::format("{}发送了未知类型的载荷", zh(o.by))};
    case IkeSight::nat_detected:
      return {fmt::format("NAT detection hashes: {} is behind NAT", o.local_nat ? "this gateway" : "the peer"),
              fmt::format("NAT 探测哈希表明{}位于 NAT 之后", o.local_nat ? "本网关" : "对端")};
    case IkeSight::malformed:
      return describe_fault(o);
    case IkeSight::unknown_exchange:
      return {fmt::format("{} sent exchange type {}, which no registry has", en(o.by), o.exchange),
              fmt::format("{}发送了未知的交换类型 {}", zh(o.by), o.exchange)};
    case IkeSight::critical_payload:
      return {fmt::format("{} sent or refused an unknown payload with the critical bit", en(o.by)),
              fmt::format("{}发送或拒绝了带 critical 标志的未知载荷", zh(o.by))};
    case IkeSight::sm_offered:
      return {fmt::format("{} offers SM algorithms in IKEv2, which only IKEv1 defines", en(o.by)),
              fmt::format("{}在 IKEv2 中提议了只有 IKEv1 定义的 SM 算法", zh(o.by))};
    default:
      return describe_refusal(o);
  }
}

}  // namespace

Text describe(const IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::init_unanswered:
    case IkeSight::auth_unanswered:
    case IkeSight::eap_unanswered:
    case IkeSight::xauth_unanswered:
    case IkeSight::child_unanswered:
    case IkeSight::request_unanswered:
      return unanswered(o);
    default:
      return describe_life(o);
  }
}

Text describe(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::none:
      return {"no reason", "无原因"};
    case RefusalReason::network_unreachable:
      return {"network unreachable", "网络不可达"};
    case RefusalReason::host_unreachable:
      return {"host unreachable", "主机不可达"};
    case RefusalReason::protocol_unreachable:
      return {"protocol unreachable", "协议不可达"};
    case RefusalReason::port_unreachable:
      return {"port unreachable: nothing listens there", "端口不可达：该端口无服务"};
    case RefusalReason::fragmentation_needed:
      return {"fragmentation needed", "需要分片"};
    case RefusalReason::prohibited:
      return {"administratively prohibited: a filter refuses it", "管理性禁止：被过滤规则拒绝"};
    case RefusalReason::ttl_exceeded:
      return {"TTL exceeded: a routing loop", "TTL 超时：可能存在路由环路"};
    case RefusalReason::other_icmp:
      return {"another ICMP error", "其他 ICMP 错误"};
    case RefusalReason::no_route:
      return {"no route from this machine", "本机没有路由"};
    case RefusalReason::not_permitted:
      return {"this machine's own filter or permissions refuse it", "被本机过滤规则或权限拒绝"};
    case RefusalReason::message_too_long:
      return {"too long for the interface", "超过接口 MTU"};
    case RefusalReason::no_buffers:
      return {"this machine had no buffers", "本机缓冲区不足"};
    case RefusalReason::no_interface:
      return {"the interface is not there, or down", "接口不存在或未启用"};
    case RefusalReason::no_address:
      return {"the source is no address of this machine", "源地址不是本机地址"};
    case RefusalReason::local_error:
      return {"an error of this machine", "本机错误"};
  }
  return {};
}

Text describe_rejection(RefusalReason reason, const IpAddress& from, bool from_peer, std::string_view what,
                        std::uint16_t port) {
  const Text why = describe(reason);
  const std::string to = port == 0 ? std::string(what) : fmt::format("{} on UDP {}", what, port);
  const std::string to_zh = port == 0 ? std::string(what) : fmt::format("UDP {} 上的 {}", port, what);
  return {fmt::format("{} ({}) rejects our {} by ICMP: {}", from.to_string(),
                      from_peer ? "the peer itself" : "a device on the path", to, why.en),
          fmt::format("{}（{}）以 ICMP 拒绝本端的 {}：{}", from.to_string(), from_peer ? "对端自身" : "路径上的设备",
                      to_zh, why.zh)};
}

Text describe_one_way(std::uint64_t sent, Duration over, bool ever_received) {
  const double seconds = to_seconds(over);
  return {
      fmt::format("{} ESP packets left in {:.1f} s and {} came back", sent, seconds,
                  ever_received ? "none since then" : "none ever"),
      fmt::format("{:.1f} 秒内发出 {} 个 ESP 报文，{}收到返回报文", seconds, sent, ever_received ? "此后未" : "从未")};
}

Text describe_port_change(std::uint16_t before, std::uint16_t now) {
  return {fmt::format("the peer's ESP came from UDP {} and now comes from UDP {}", before, now),
          fmt::format("对端 ESP 的源端口由 UDP {} 变为 UDP {}", before, now)};
}

Text describe_shared_spi(std::uint32_t spi, const IpAddress& other) {
  return {fmt::format("SPI 0x{:08x} is used by this peer and by {} towards the same address", spi, other.to_string()),
          fmt::format("SPI 0x{:08x} 同时被该对端和 {} 用于同一目的地址", spi, other.to_string())};
}

Text describe_orphans(Side deleted_by) {
  return {fmt::format("{} deleted the ISAKMP SA, and the ESP that flowed up to then stopped with it", en(deleted_by)),
          fmt::format("{}删除 ISAKMP SA 后，此前正常的 ESP 流量随之中断", zh(deleted_by))};
}

Text describe_fragments(const passive::FragmentEvent& e, bool from_peer) {
  const auto whose = from_peer ? Side::remote : Side::local;
  if (e.kind == passive::FragmentEventKind::timed_out) {
    return {fmt::format("a datagram of {} came in {} IP fragments and was never complete", en(whose), e.fragments),
            fmt::format("{}的一个报文到达 {} 个 IP 分片，始终不完整", zh(whose), e.fragments)};
  }
  return {fmt::format("a datagram of {} came in IP fragments that no honest sender makes ({} fragments, {} bytes)",
                      en(whose), e.fragments, e.bytes),
          fmt::format("{}的一个报文的 IP 分片异常（{} 个分片，{} 字节）", zh(whose), e.fragments, e.bytes)};
}

Text describe_address(AddressOddity oddity, const IpAddress& seen, const IpAddress& expected) {
  const std::string is = seen.to_string();
  const std::string should = expected.to_string();
  switch (oddity) {
    case AddressOddity::other_remote:
      return {fmt::format("the peer speaks IKE from {}, the configuration says {}", is, should),
              fmt::format("对端从 {} 发出 IKE，而配置为 {}", is, should)};
    case AddressOddity::other_local:
      return {fmt::format("this gateway speaks IKE from {}, the configuration says {}", is, should),
              fmt::format("本网关从 {} 发出 IKE，而配置为 {}", is, should)};
    case AddressOddity::source_translated:
      return {fmt::format("IKE leaves from {}, while its NAT detection hash names {}: this machine translates it", is,
                          should),
              fmt::format("IKE 从 {} 发出，而其 NAT 探测哈希对应 {}：本机对其做了地址转换", is, should)};
  }
  return {};
}

Text describe_loss(std::string_view target, const active::EchoWindow& w) {
  const double percent = 100.0 * static_cast<double>(w.in_service_lost) / static_cast<double>(w.in_service);
  const double lower = 100 * w.in_service_loss.lower;
  const double upper = 100 * w.in_service_loss.upper;
  return {fmt::format("{} of {} echoes to {} lost ({:.1f} %, between {:.1f} % and {:.1f} % with 95 % confidence)",
                      w.in_service_lost, w.in_service, target, percent, lower, upper),
          fmt::format("发往 {} 的 {} 个 ICMP 请求丢失 {} 个（{:.1f} %，95 % 置信区间 {:.1f} % 至 {:.1f} %）", target,
                      w.in_service, w.in_service_lost, percent, lower, upper)};
}

Text describe_echo_silence(std::string_view target, std::uint64_t consecutive) {
  return {fmt::format("the last {} echoes to {} were not answered, though it answered before", consecutive, target),
          fmt::format("{} 最近 {} 个 ICMP 请求均无应答，此前曾有应答", target, consecutive)};
}

Text describe_probe_silence(std::uint16_t port, std::uint64_t consecutive) {
  return {fmt::format("{} IKE probes to UDP {} of the peer in a row were not answered", consecutive, port),
          fmt::format("连续 {} 个发往对端 UDP {} 的 IKE 探测无应答", consecutive, port)};
}

Text describe_probe_answer(std::uint16_t port) {
  return {fmt::format("the peer answers our IKE probes to UDP {}", port),
          fmt::format("对端应答发往 UDP {} 的 IKE 探测", port)};
}

Text describe_probe_rejection(std::uint16_t port, RefusalReason reason, const IpAddress& from) {
  const Text why = describe(reason);
  return {fmt::format("an IKE probe to UDP {} was rejected by {}: {}", port, from.to_string(), why.en),
          fmt::format("发往 UDP {} 的 IKE 探测被 {} 拒绝：{}", port, from.to_string(), why.zh)};
}

Text describe_esp_answer(Duration rtt) {
  const double ms = to_seconds(rtt) * 1000;
  return {fmt::format("the peer answered an ESP echo (protocol 50) in {:.1f} ms", ms),
          fmt::format("对端在 {:.1f} ms 内应答了 ESP 回显（协议 50）", ms)};
}

Text describe_esp_refusal(const EspProbeObservation& o) {
  const Text why = describe(o.reason);
  if (o.outcome == EspProbeOutcome::send_error)
    return {fmt::format("a packet of protocol 50 did not leave this machine: {}", why.en),
            fmt::format("协议 50 的探测报文未能从本机发出：{}", why.zh)};
  return {fmt::format("{} ({}) refuses a packet of protocol 50 by ICMP: {}", o.from.to_string(),
                      o.by_peer ? "the peer itself, which it reached" : "a device on the path", why.en),
          fmt::format("{}（{}）以 ICMP 拒绝协议 50 的探测报文：{}", o.from.to_string(),
                      o.by_peer ? "对端自身，报文已到达" : "路径上的设备", why.zh)};
}

Text describe_esp_silence(std::uint32_t silences, bool answered_before) {
  if (answered_before)
    return {fmt::format("{} ESP echoes in a row without an answer, of a peer that answered before", silences),
            fmt::format("连续 {} 个 ESP 回显无应答，此前对端有应答", silences)};
  const std::string many = silences > 1 ? fmt::format("{} ESP echoes in a row", silences) : "an ESP echo";
  return {fmt::format("no answer to {} (protocol 50): few peers give one, so that it proves nothing", many),
          fmt::format("连续 {} 个 ESP 回显（协议 50）无应答：多数对端不应答，不能说明问题", silences)};
}

Text describe_esp_flow(bool in_udp) {
  return {fmt::format("the tunnel's ESP{} was seen in both directions", in_udp ? " in UDP" : ""),
          fmt::format("隧道的{} ESP 双向均有报文", in_udp ? " UDP 封装" : "")};
}

Text describe_esp_lone(bool outbound, std::uint64_t packets) {
  if (outbound)
    return {fmt::format("{} ESP packets of ours left since the peer's last one", packets),
            fmt::format("自对端最后一个 ESP 报文以来，本端已发出 {} 个", packets)};
  return {fmt::format("{} ESP packets of the peer's came, and none of ours left", packets),
          fmt::format("收到对端 {} 个 ESP 报文，本端没有发出", packets)};
}

Text describe_inner_answer(std::string_view host) {
  return {fmt::format("{} behind the peer answers pings through the tunnel", host),
          fmt::format("对端内网的 {} 应答了经隧道的 ping", host)};
}

}  // namespace tunnelwatch::diagnosis
