#include "agent/cli/trace_json.h"

#include "agent/path_words.h"

#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace json = boost::json;
using active::TraceFinding;
using active::TraceHop;

namespace {

double milliseconds(Duration d) { return std::round(to_seconds(d) * 1e6) / 1e3; }

json::object hop_json(const TraceHop& hop, std::size_t number) {
  json::object o{{"hop", number}, {"attempts", hop.attempts}};
  if (!hop.answered) {
    o["silent"] = hop.silent;
    return o;
  }
  o["address"] = hop.from.to_string();
  o["rtt_ms"] = milliseconds(hop.rtt);
  if (hop.reason != RefusalReason::none) o["reason"] = to_string(hop.reason);
  if (hop.icmp_type != 0) o["icmp"] = fmt::format("{}/{}", hop.icmp_type, hop.icmp_code);
  if (hop.mtu != 0) o["mtu"] = hop.mtu;
  return o;
}

json::object finding_json(const TraceFinding& f) {
  json::object o{{"outcome", active::to_string(f.outcome)}, {"hop", f.hop}, {"last_hop", f.last_hop}};
  if (f.last_hop != 0) {
    o["last_address"] = f.last.from.to_string();
    o["rtt_ms"] = milliseconds(f.last.rtt);
    if (f.last.reason != RefusalReason::none) o["reason"] = to_string(f.last.reason);
  }
  o["witnesses"] = f.witnesses;
  return o;
}

json::object flow_json(const active::TraceFlow& flow, const TraceFinding& finding) {
  json::object o = finding_json(finding);
  o["flow"] = flow.number;
  if (flow.protocol == active::TraceProtocol::udp_500 || flow.protocol == active::TraceProtocol::udp_4500)
    o["source_port"] = flow.key;
  json::array hops;
  for (std::size_t i = 0; i < flow.hops.size(); ++i) hops.push_back(hop_json(flow.hops[i], i + 1));
  o["hops"] = std::move(hops);
  return o;
}

json::object mtu_json(const active::PathMtuResult& mtu) {
  json::object o{{"outcome", active::to_string(mtu.outcome)}, {"mtu", mtu.mtu}};
  if (mtu.smallest_silent != 0) o["smallest_silent"] = mtu.smallest_silent;
  if (mtu.announced != 0) o["announced"] = mtu.announced;
  if (mtu.announced_by) o["announced_by"] = mtu.announced_by->to_string();
  return o;
}

}  // namespace

std::string trace_json(const std::string& peer, const agent::PathProbe& probe) {
  const auto& trace = probe.trace();
  const auto findings = active::compare_flows(trace.flows());
  json::array protocols;
  for (std::size_t p = 0; p < active::kTraceProtocolCount; ++p) {
    const auto protocol = static_cast<active::TraceProtocol>(p);
    const TraceFinding* const worst = agent::worst_finding(findings, protocol);
    if (worst == nullptr) continue;
    json::object o{{"protocol", active::to_string(protocol)}};
    for (auto& [key, value] : finding_json(*worst)) o[key] = value;
    json::array flows;
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (findings[i].protocol == protocol) flows.push_back(flow_json(trace.flows()[i], findings[i]));
    }
    o["flows"] = std::move(flows);
    protocols.push_back(std::move(o));
  }
  json::array comparison;
  for (const auto& sentence : agent::comparison_words(trace, findings)) comparison.emplace_back(sentence);
  return json::serialize(json::object{{"peer", peer},
                                      {"address", trace.params().target.to_string()},
                                      {"source", trace.params().source.to_string()},
                                      {"interface", probe.route().interface},
                                      {"large_size", trace.params().large_size},
                                      {"packets", trace.counters().sent},
                                      {"fault", agent::path_has_fault(findings, probe.mtu())},
                                      {"protocols", std::move(protocols)},
                                      {"comparison", std::move(comparison)},
                                      {"path_mtu", mtu_json(probe.mtu())}});
}

}  // namespace tunnelwatch::cli
