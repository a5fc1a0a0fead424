#include "agent/diagnosis/path_evidence.h"

#include "agent/diagnosis/wording.h"

#include <array>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using active::TraceFinding;
using active::TraceOutcome;
using active::TraceProtocol;
using F = FactId;

namespace {

struct Row {
  TraceProtocol protocol;
  FactId fact;
  const char* name;
};
constexpr std::array kRows{
    Row{TraceProtocol::udp_500, F::trace_500_ends, "UDP 500"},
    Row{TraceProtocol::udp_4500, F::trace_4500_ends, "UDP 4500"},
    Row{TraceProtocol::esp, F::trace_esp_ends, "ESP"},
};

Text dies(const char* name, const TraceFinding& f) {
  const std::string by = f.last.from.to_string();
  if (f.last_hop == 0) {
    return {fmt::format("a trace: no hop answers {}, while {} of them answer other protocols", name, f.witnesses),
            fmt::format("路径探测：没有任何一跳应答 {}，而其中 {} 跳应答其他协议", name, f.witnesses)};
  }
  return {fmt::format("a trace: {} ends at hop {}: the last answer is from {} at hop {}, {} routers behind it answer "
                      "other protocols only",
                      name, f.hop, by, f.last_hop, f.witnesses),
          fmt::format("路径探测：{} 在第 {} 跳中断：最后应答的是第 {} 跳 {}，其后 {} 台路由器只应答其他协议", name,
                      f.hop, f.last_hop, by, f.witnesses)};
}

Text rejected(const char* name, const TraceFinding& f) {
  const Text why = describe(f.last.reason);
  const std::string by = f.last.from.to_string();
  return {fmt::format("a trace: {} rejects {} at hop {}: {}", by, name, f.hop, why.en),
          fmt::format("路径探测：{} 在第 {} 跳拒绝 {}：{}", by, f.hop, name, why.zh)};
}

Text to_target(const char* name, const TraceFinding& f) {
  return {fmt::format("a trace: {} passes {} hops on the way, the peer at hop {} answers other protocols only", name,
                      f.last_hop, f.target_hop),
          fmt::format("路径探测：{} 通过了途中 {} 跳，第 {} 跳的对端只应答其他协议", name, f.last_hop, f.target_hop)};
}

void tell(Facts& facts, const Row& row, const TraceFinding& f, TimePoint at) {
  switch (f.outcome) {
    case TraceOutcome::dies:
      return facts.affirm(row.fact, at, Confidence::likely, dies(row.name, f));
    case TraceOutcome::rejected:
      return facts.affirm(row.fact, at, Confidence::likely, rejected(row.name, f));
    case TraceOutcome::to_target:
      if (row.protocol == TraceProtocol::esp) return facts.forget(row.fact);  // no peer answers ESP of a stranger
      return facts.affirm(row.fact, at, Confidence::likely, to_target(row.name, f));
    case TraceOutcome::reached:
      return facts.deny(row.fact, at);
    case TraceOutcome::too_big:
    case TraceOutcome::unknown:
      return facts.forget(row.fact);
  }
}

}  // namespace

void tell_trace(Facts& facts, std::span<const TraceFinding> findings, TimePoint at) {
  for (const Row& row : kRows) {
    for (const TraceFinding& f : findings) {
      if (f.protocol == row.protocol) tell(facts, row, f, at);
    }
  }
}

Text describe_trace(const TraceFinding& f) {
  constexpr const char* kEsp = "ESP";
  switch (f.outcome) {
    case TraceOutcome::dies:
      return dies(kEsp, f);
    case TraceOutcome::rejected:
      return rejected(kEsp, f);
    case TraceOutcome::reached:
      if (f.last.reason != RefusalReason::none) return rejected(kEsp, f);
      return {fmt::format("a trace: the peer at hop {} answers ESP", f.hop),
              fmt::format("路径探测：第 {} 跳的对端应答 ESP", f.hop)};
    case TraceOutcome::to_target:
      return {fmt::format("a trace: ESP passes {} hops on the way; whether the peer gets it is not known", f.last_hop),
              fmt::format("路径探测：ESP 通过了途中 {} 跳，是否到达对端未知", f.last_hop)};
    case TraceOutcome::too_big:
    case TraceOutcome::unknown:
      return {"a trace: no hop that answers ESP tells how far it comes",
              "路径探测：没有应答 ESP 的跳，无法判断其到达何处"};
  }
  return {};
}

void forget_trace(Facts& facts) {
  for (const Row& row : kRows) facts.forget(row.fact);
}

}  // namespace tunnelwatch::diagnosis
