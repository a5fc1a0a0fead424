#include "agent/cli/trace_table.h"

#include "agent/path_words.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace tunnelwatch::cli {

using active::TraceProtocol;

namespace {

constexpr std::array kColumns{TraceProtocol::icmp, TraceProtocol::udp_500, TraceProtocol::udp_4500, TraceProtocol::esp,
                              TraceProtocol::icmp_large};

std::string heading(TraceProtocol protocol, const active::PathTrace& trace) {
  const auto large = trace.params().large_size;
  return protocol == TraceProtocol::icmp_large ? fmt::format("{} bytes", large) : agent::protocol_name(protocol, large);
}

// The hops of all flows of this protocol, those asked so far.
std::vector<const active::TraceHop*> hops_at(const active::PathTrace& trace, TraceProtocol protocol, std::size_t hop) {
  std::vector<const active::TraceHop*> hops;
  for (const auto& flow : trace.flows()) {
    const bool beyond = flow.reached != 0 && hop > flow.reached;
    if (flow.protocol == protocol && !beyond && hop <= flow.hops.size()) hops.push_back(&flow.hops[hop - 1]);
  }
  return hops;
}

std::vector<IpAddress> addresses_at(const active::PathTrace& trace, std::size_t hop) {
  std::vector<IpAddress> addresses;
  for (const TraceProtocol protocol : kColumns) {
    for (const auto* h : hops_at(trace, protocol, hop)) {
      if (h->answered && std::find(addresses.begin(), addresses.end(), h->from) == addresses.end())
        addresses.push_back(h->from);
    }
  }
  return addresses;
}

// What this address said; on a hop's first line also that nothing came.
std::string cell(const std::vector<const active::TraceHop*>& hops, const IpAddress* address, bool first) {
  for (const auto* h : hops) {
    if (address == nullptr || !h->answered || h->from != *address) continue;
    const bool plain = h->reason == RefusalReason::none || h->reason == RefusalReason::ttl_exceeded;
    return agent::rtt_words(h->rtt) + (plain ? "" : " !");
  }
  if (!first || hops.empty()) return "";
  if (std::any_of(hops.begin(), hops.end(), [](const auto* h) { return h->answered; })) return "";
  return std::all_of(hops.begin(), hops.end(), [](const auto* h) { return h->silent; }) ? "*" : ".";
}

std::size_t last_hop(const active::PathTrace& trace) {
  std::size_t last = 0;
  for (const auto& flow : trace.flows()) {
    for (std::size_t i = flow.hops.size(); i > last; --i) {
      if (flow.hops[i - 1].answered) last = i;
    }
  }
  return last;
}

}  // namespace

std::string trace_table(const active::PathTrace& trace) {
  std::vector<std::vector<std::string>> rows{{"hop", "address"}};
  for (const TraceProtocol p : kColumns) rows[0].push_back(heading(p, trace));
  for (std::size_t hop = 1; hop <= std::max<std::size_t>(last_hop(trace), 1); ++hop) {
    const auto addresses = addresses_at(trace, hop);
    for (std::size_t line = 0; line < std::max<std::size_t>(addresses.size(), 1); ++line) {
      const IpAddress* const address = addresses.empty() ? nullptr : &addresses[line];
      std::vector<std::string> row{line == 0 ? fmt::format("{:3}", hop) : "", address ? address->to_string() : "*"};
      for (const TraceProtocol p : kColumns) row.push_back(cell(hops_at(trace, p, hop), address, line == 0));
      rows.push_back(std::move(row));
    }
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace tunnelwatch::cli
