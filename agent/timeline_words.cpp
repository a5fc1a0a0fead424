#include "agent/timeline_words.h"

#include "agent/diagnosis/catalogue.h"
#include "agent/diagnosis/wording.h"
#include "probes/wire/ike_names.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using exporters::Text;
using passive::IkeObservation;
using passive::IkeSight;
using passive::Side;

namespace {

std::string_view en(Side side) { return side == Side::local ? "this gateway" : "the peer"; }
std::string_view zh(Side side) { return side == Side::local ? "本网关" : "对端"; }

// The ordinary course of things, for which a diagnosis needs no sentence.
Text ordinary(const IkeObservation& o) {
  switch (o.sight) {
    case IkeSight::negotiation_started:
      return {fmt::format("{} begins a negotiation in IKEv{}", en(o.by), o.version),
              fmt::format("{}以 IKEv{} 发起协商", zh(o.by), o.version)};
    case IkeSight::init_answered:
      return {fmt::format("{} accepts the offer", en(o.by)), fmt::format("{}接受了提议", zh(o.by))};
    case IkeSight::group_retried:
      return {fmt::format("{} comes back with {}", en(o.by), wire::key_exchange_name(o.group)),
              fmt::format("{}改用 {} 重试", zh(o.by), wire::key_exchange_name(o.group))};
    case IkeSight::redirected:
      return {fmt::format("{} redirects to another gateway", en(o.by)), fmt::format("{}要求转到另一网关", zh(o.by))};
    case IkeSight::ike_established:
      return {"the IKE SA stands", "IKE SA 已建立"};
    case IkeSight::ike_resumed_midway:
      return {"an IKE SA that stood before the capture began", "抓包开始之前已建立的 IKE SA"};
    case IkeSight::child_established:
      return {"the IPsec SA stands", "IPsec SA 已建立"};
    case IkeSight::child_rekeyed:
      return {fmt::format("new IPsec keys; {} asked for them", en(o.by)),
              fmt::format("IPsec SA 已重协商（{}发起）", zh(o.by))};
    case IkeSight::ike_rekeyed:
      return {"a new IKE SA took over, with its IPsec SAs", "IKE SA 已重协商，并接管其 IPsec SA"};
    case IkeSight::ike_ended:
      return {fmt::format("{} deletes the IKE SA", en(o.by)), fmt::format("{}删除 IKE SA", zh(o.by))};
    case IkeSight::ike_reauthenticated:
      return {"a new IKE SA is made from scratch", "IKE SA 已重新认证"};
    case IkeSight::ike_lives_on:
      return {"the IKE SA lives on: its SPIs are still in use", "IKE SA 仍然存活：其 SPI 仍在使用"};
    case IkeSight::port_floated:
      return {"IKE moves to UDP 4500", "IKE 转到 UDP 4500"};
    default: {
      std::string words(to_string(o.sight));
      std::replace(words.begin(), words.end(), '_', ' ');
      return {words, words};
    }
  }
}

std::string_view confidence_zh(diagnosis::Confidence confidence) {
  switch (confidence) {
    case diagnosis::Confidence::possible:
      return "可能";
    case diagnosis::Confidence::likely:
      return "很可能";
    case diagnosis::Confidence::confirmed:
      return "确认";
  }
  return "";
}

std::string spi_of(const passive::EspStreamSummary& s) { return fmt::format("ESP SPI 0x{:08x}", s.spi); }

std::string encapsulation(const passive::EspStreamSummary& s) {
  return s.in_udp ? fmt::format(" (UDP {})", s.destination_port) : std::string();
}

std::string counted(std::uint64_t n, std::string_view what) { return n == 0 ? "" : fmt::format(", {} {}", n, what); }
std::string counted_zh(std::uint64_t n, std::string_view what) { return n == 0 ? "" : fmt::format("，{} {}", what, n); }

Text totals(const passive::EspStreamSummary& s) {
  const double seconds = to_seconds(s.last - s.first);
  return {fmt::format("{} packets, {} bytes in {:.1f} s, {} lost{}{}", s.packets, s.bytes, seconds, s.lost,
                      counted(s.reordered, "reordered"), counted(s.duplicates, "duplicate")),
          fmt::format("{:.1f} 秒内 {} 个报文，{} 字节，丢失 {}{}{}", seconds, s.packets, s.bytes, s.lost,
                      counted_zh(s.reordered, "乱序"), counted_zh(s.duplicates, "重复"))};
}

}  // namespace

Text meaning_of(const IkeObservation& o) {
  Text text = diagnosis::describe(o);
  return text.en == to_string(o.sight) ? ordinary(o) : text;
}

Text words_message_again(std::string_view exchange, std::size_t bytes) {
  return {fmt::format("{}, the same {} bytes again", exchange, bytes),
          fmt::format("{}（与前一报文相同，{} 字节）", exchange, bytes)};
}

Text words_sent_again(Duration silence, unsigned sends) {
  const double seconds = to_seconds(silence);
  return {fmt::format("no answer for {:.1f} s; sent again, {} times by now", seconds, sends),
          fmt::format("{:.1f} 秒无应答；重传，至此共发送 {} 次", seconds, sends)};
}

Text words_silence(Duration silence) {
  const double seconds = to_seconds(silence);
  return {fmt::format("no answer for {:.1f} s", seconds), fmt::format("{:.1f} 秒无应答", seconds)};
}

Text words_state(passive::PeerState state) {
  switch (state) {
    case passive::PeerState::up:
      return {"the tunnel is up", "隧道已连接"};
    case passive::PeerState::down:
      return {"the tunnel is down", "隧道断开"};
    case passive::PeerState::negotiating:
      return {"the tunnel is being negotiated", "隧道协商中"};
    case passive::PeerState::unknown:
      break;
  }
  return {"the state of the tunnel is not known", "隧道状态未知"};
}

Text words_cause(const Tunnel& tunnel, const diagnosis::VerdictChange& change) {
  const auto& row = diagnosis::row_of(change.cause);
  const auto id = to_string(change.cause);
  if (!change.active) {
    return {fmt::format("over: {} ({})", row.title.en, id), fmt::format("消除：{}（{}）", row.title.zh, id)};
  }
  const auto causes = tunnel.verdict().ranked();
  const auto it = std::find_if(causes.begin(), causes.end(), [&](const auto* c) { return c->cause == change.cause; });
  const auto confidence = it != causes.end() ? (*it)->confidence : diagnosis::Confidence::possible;
  return {fmt::format("{} ({}, {})", row.title.en, id, to_string(confidence)),
          fmt::format("{}（{}，{}）", row.title.zh, id, confidence_zh(confidence))};
}

Text words_esp_begins(const passive::EspStreamSummary& s) {
  return {fmt::format("{} begins{}", spi_of(s), encapsulation(s)),
          fmt::format("{} 开始{}", spi_of(s), encapsulation(s))};
}

Text words_esp_goes_on(const passive::EspStreamSummary& s, Duration pause) {
  return {fmt::format("{} goes on after {:.1f} s{}", spi_of(s), to_seconds(pause), encapsulation(s)),
          fmt::format("{} 在 {:.1f} 秒后恢复{}", spi_of(s), to_seconds(pause), encapsulation(s))};
}

Text words_esp_ends(const passive::EspStreamSummary& s, Duration silence) {
  const Text sum = totals(s);
  return {fmt::format("{} ended {:.1f} s ago: {}", spi_of(s), to_seconds(silence), sum.en),
          fmt::format("{} 已停止 {:.1f} 秒：{}", spi_of(s), to_seconds(silence), sum.zh)};
}

Text words_esp_total(const passive::EspStreamSummary& s) {
  const Text sum = totals(s);
  return {fmt::format("{} to the end of the capture: {}", spi_of(s), sum.en),
          fmt::format("{} 持续到抓包结束：{}", spi_of(s), sum.zh)};
}

Text words_bgp(const passive::BgpObservation& o) {
  const std::string who = o.speaker.to_string();
  switch (o.sight) {
    case passive::BgpSight::open:
      return {fmt::format("BGP: {} is AS {}", who, o.as_number),
              fmt::format("BGP：{} 的 AS 号为 {}", who, o.as_number)};
    case passive::BgpSight::accepted:
      return {fmt::format("BGP: {} accepts the other end as AS {}", who, o.other_as),
              fmt::format("BGP：{} 接受对方的 AS 号 {}", who, o.other_as)};
    case passive::BgpSight::refused:
      break;
  }
  return {fmt::format("BGP: {} refuses the other end: NOTIFICATION {}/{}", who, o.code, o.subcode),
          fmt::format("BGP：{} 拒绝对方：NOTIFICATION {}/{}", who, o.code, o.subcode)};
}

Text words_rejects_peer(const IpAddress& from, std::string_view what, std::uint16_t port, RefusalReason reason) {
  const Text why = diagnosis::describe(reason);
  const std::string to = port == 0 ? std::string(what) : fmt::format("{} on UDP {}", what, port);
  return {fmt::format("{} rejects the peer's {} by ICMP: {}", from.to_string(), to, why.en),
          fmt::format("{} 以 ICMP 拒绝对端的 {}：{}", from.to_string(), to, why.zh)};
}

}  // namespace tunnelwatch::agent
