#include "agent/path_words.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using active::PathMtuOutcome;
using active::TraceFinding;
using active::TraceOutcome;
using active::TraceProtocol;

namespace {

bool is_udp(TraceProtocol p) { return p == TraceProtocol::udp_500 || p == TraceProtocol::udp_4500; }

std::string_view reason_words(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::none:
      return "no error";
    case RefusalReason::network_unreachable:
      return "network unreachable";
    case RefusalReason::host_unreachable:
      return "host unreachable";
    case RefusalReason::protocol_unreachable:
      return "protocol unreachable";
    case RefusalReason::port_unreachable:
      return "port unreachable";
    case RefusalReason::fragmentation_needed:
      return "packet too big";
    case RefusalReason::prohibited:
      return "administratively prohibited";
    case RefusalReason::ttl_exceeded:
      return "TTL exceeded";
    case RefusalReason::other_icmp:
      return "an ICMP error";
    case RefusalReason::no_route:
      return "no route";
    case RefusalReason::no_interface:
      return "the interface is not there, or down";
    case RefusalReason::no_address:
      return "the source is no address of this machine";
    case RefusalReason::not_permitted:
      return "not permitted by a local filter";
    case RefusalReason::message_too_long:
      return "longer than the own link takes";
    case RefusalReason::no_buffers:
      return "no buffers";
    case RefusalReason::local_error:
      return "a local error";
  }
  return "an ICMP error";
}

// "a", "a and b", "a, b and c".
std::string list_words(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

// The protocols that a router answered farther on than where this flow ends.
std::string those_that_go_on(const active::PathTrace& trace, const TraceFinding& f) {
  std::vector<std::string> names;
  for (const auto& flow : trace.flows()) {
    const auto goes_on = [&](const active::TraceHop& h) { return h.answered; };
    const auto from = static_cast<std::ptrdiff_t>(std::min<std::size_t>(f.last_hop, flow.hops.size()));
    if (flow.protocol == f.protocol || std::none_of(flow.hops.begin() + from, flow.hops.end(), goes_on)) continue;
    const auto name = protocol_name(flow.protocol, trace.params().large_size);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return list_words(names);
}

std::string up_to(const TraceFinding& f) { return fmt::format("{} at hop {}", f.last.from.to_string(), f.last_hop); }

std::string target_words(const TraceFinding& f) {
  if (f.protocol == TraceProtocol::esp) {
    return fmt::format(
        "passes every router that answers, up to {}; whether the peer gets it is not known: nobody answers ESP of a "
        "stranger",
        f.last_hop == 0 ? "the peer itself" : up_to(f));
  }
  const std::string before =
      f.last_hop == 0 ? std::string("gets no answer") : "passes every router that answers, up to " + up_to(f);
  return fmt::format(
      "{}; the peer at hop {} does not answer it: dropped on the last step or at the peer, or the answer is lost on "
      "the way back",
      before, f.target_hop);
}

std::string words_of(const active::PathTrace& trace, const TraceFinding& f) {
  switch (f.outcome) {
    case TraceOutcome::reached:
      return fmt::format("reaches the peer at hop {} in {}{}", f.hop, rtt_words(f.last.rtt),
                         f.last.reason == RefusalReason::none ? "" : ", which refuses it: " + refusal_words(f.last));
    case TraceOutcome::rejected:
      if (f.last.icmp_type == 0) return fmt::format("does not leave this machine: {}", refusal_words(f.last));
      return fmt::format("is rejected at hop {} by {}: {}", f.hop, f.last.from.to_string(), refusal_words(f.last));
    case TraceOutcome::too_big:
      return fmt::format("is too big: {} announces an MTU of {}, as it should", f.last.from.to_string(), f.last.mtu);
    case TraceOutcome::dies:
      return fmt::format("dies at hop {}: {}; {} router{} behind that answer{} others, and {} go{} on", f.hop,
                         f.last_hop == 0 ? "not even the first answers it" : "the last answer is from " + up_to(f),
                         f.witnesses, f.witnesses == 1 ? "" : "s", f.witnesses == 1 ? "s" : "",
                         those_that_go_on(trace, f),
                         those_that_go_on(trace, f).find(" and ") == std::string::npos ? "es" : "");
    case TraceOutcome::to_target:
      return target_words(f);
    case TraceOutcome::unknown:
      if (f.last_hop == 0) return "gets no answer from any hop, which proves nothing";
      return fmt::format("has its last answer from {}; what is behind it is not known", up_to(f));
  }
  return "";
}

int severity(TraceOutcome outcome) {
  switch (outcome) {
    case TraceOutcome::dies:
      return 5;
    case TraceOutcome::rejected:
      return 4;
    case TraceOutcome::to_target:
      return 3;
    case TraceOutcome::unknown:
      return 2;
    case TraceOutcome::too_big:
      return 1;
    case TraceOutcome::reached:
      return 0;
  }
  return 0;
}

}  // namespace

std::string protocol_name(TraceProtocol protocol, std::uint16_t large_size) {
  switch (protocol) {
    case TraceProtocol::icmp:
      return "ICMP";
    case TraceProtocol::udp_500:
      return "UDP 500";
    case TraceProtocol::udp_4500:
      return "UDP 4500";
    case TraceProtocol::esp:
      return "ESP";
    case TraceProtocol::icmp_large:
      return fmt::format("ICMP of {} bytes", large_size);
  }
  return "";
}

std::string rtt_words(Duration rtt) {
  const double ms = to_seconds(rtt) * 1000;
  return ms < 1 ? fmt::format("{:.2f} ms", ms) : fmt::format("{:.1f} ms", ms);
}

std::string refusal_words(const active::TraceHop& hop) {
  if (hop.icmp_type == 0) return std::string(reason_words(hop.reason));
  return fmt::format("{} (ICMP {}/{})", reason_words(hop.reason), hop.icmp_type, hop.icmp_code);
}

std::vector<std::string> comparison_words(const active::PathTrace& trace, const std::vector<TraceFinding>& findings) {
  std::vector<std::string> sentences;
  std::vector<bool> told(findings.size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (told[i]) continue;
    const TraceFinding& f = findings[i];
    std::vector<std::string> alike;
    std::size_t flows = 0;
    for (std::size_t j = 0; j < findings.size(); ++j) {
      const TraceFinding& other = findings[j];
      if (other.protocol != f.protocol) continue;
      ++flows;
      const bool same = other.outcome == f.outcome && other.hop == f.hop &&
                        (f.outcome == TraceOutcome::reached || other.last.from == f.last.from);
      if (j < i || !same) continue;
      told[j] = true;
      alike.push_back(std::to_string(other.flow));
    }
    std::string who = protocol_name(f.protocol, trace.params().large_size);
    if (alike.size() < flows) who += fmt::format(" (flow {} of {})", list_words(alike), flows);
    sentences.push_back(who + " " + words_of(trace, f));
  }
  return sentences;
}

std::string mtu_words(const active::PathMtuResult& mtu) {
  switch (mtu.outcome) {
    case PathMtuOutcome::searching:
      return "";
    case PathMtuOutcome::whole:
      return fmt::format("path MTU {}: all that the own link takes", mtu.mtu);
    case PathMtuOutcome::announced:
      return fmt::format("path MTU {}: announced by {}, as it should be", mtu.mtu,
                         mtu.announced_by ? mtu.announced_by->to_string() : "a router");
    case PathMtuOutcome::black_hole:
      if (mtu.mtu == 0)
        return fmt::format("pings of {} bytes vanish without a word while small ones are answered",
                           mtu.smallest_silent);
      return fmt::format("path MTU {}: pings of {} bytes and more vanish without a word while small ones are answered",
                         mtu.mtu, mtu.smallest_silent);
    case PathMtuOutcome::unknown:
      return "path MTU not known: the peer answers no pings, or too few";
  }
  return "";
}

const TraceFinding* worst_finding(const std::vector<TraceFinding>& findings, TraceProtocol protocol) {
  const TraceFinding* worst = nullptr;
  for (const auto& f : findings) {
    if (f.protocol == protocol && (worst == nullptr || severity(f.outcome) > severity(worst->outcome))) worst = &f;
  }
  return worst;
}

bool path_has_fault(const std::vector<TraceFinding>& findings, const active::PathMtuResult& mtu) {
  if (mtu.outcome == PathMtuOutcome::black_hole) return true;
  const TraceFinding* const ping = worst_finding(findings, TraceProtocol::icmp);
  const bool pinged = ping != nullptr && ping->outcome == TraceOutcome::reached;
  return std::any_of(findings.begin(), findings.end(), [&](const TraceFinding& f) {
    if (f.outcome == TraceOutcome::dies || f.outcome == TraceOutcome::rejected) return true;
    if (is_udp(f.protocol)) return f.outcome != TraceOutcome::reached;
    return f.protocol == TraceProtocol::icmp_large && f.outcome == TraceOutcome::to_target && pinged;
  });
}

}  // namespace tunnelwatch::agent
