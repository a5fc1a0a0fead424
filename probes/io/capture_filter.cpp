#include "probes/io/capture_filter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tunnelwatch::io {

namespace {

constexpr unsigned kWidest4 = 8;
constexpr unsigned kWidest6 = 16;
constexpr unsigned kHost = 128;  // all bits, of IPv4 too

// Later fragments have no ports and no ICMP: by their offset, of UDP and ESP only.
constexpr std::string_view kOuter =
    "udp port 500 or udp port 4500 or ip proto 50 or ip6 proto 50"
    " or (icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 5 or icmp[0] = 11 or icmp[0] = 12))"
    " or (icmp6 and ip6[40] >= 1 and ip6[40] <= 4)"
    " or (ip proto 17 and ip[6:2] & 0x3fff != 0) or ip6 proto 44";

// "ip dst net 10.2.0.0/24 or ip6 dst net fd02::/64"
std::string any_of(std::string_view direction, const std::vector<IpPrefix>& subnets) {
  std::string text;
  for (const IpPrefix& p : subnets) {
    text += fmt::format("{}{} {}net {}", text.empty() ? "" : " or ", p.address.is_v4() ? "ip" : "ip6", direction,
                        p.to_string());
  }
  return text;
}

// Each once, and none that lies in another one.
void drop_covered(std::vector<IpPrefix>& subnets) {
  std::sort(subnets.begin(), subnets.end(), [](const IpPrefix& a, const IpPrefix& b) {  // before those that it contains
    return std::pair(a.address.family(), a) < std::pair(b.address.family(), b);
  });
  std::vector<IpPrefix> kept;
  for (const IpPrefix& p : subnets) {
    if (kept.empty() || !kept.back().contains(p)) kept.push_back(p);
  }
  subnets = std::move(kept);
}

}  // namespace

std::vector<IpPrefix> narrowed(std::vector<IpPrefix> subnets, std::size_t most) {
  drop_covered(subnets);
  // All of one length at a time grow wider until few enough are left, the longest first.
  for (unsigned length = 127; subnets.size() > most && length >= kWidest4; --length) {
    for (IpPrefix& p : subnets) {
      const unsigned widest = p.address.is_v4() ? kWidest4 : kWidest6;
      if (p.length > length && length >= widest) p = IpPrefix::of(p.address, length);
    }
    drop_covered(subnets);
  }
  if (subnets.size() > most) subnets.resize(most);
  return subnets;
}

CaptureFilter filter_for(const passive::TrafficInterest& interest, bool inside) {
  CaptureFilter filter;
  filter.outer = !inside;
  filter.all_bgp = inside;
  for (const auto& tunnel : interest.tunnels) {
    if (tunnel.local_address) filter.pinged.push_back(IpPrefix::of(*tunnel.local_address, kHost));
    if (inside) continue;
    // A policy-based tunnel's packets are seen outside a second time, decrypted.
    for (const auto& address : {tunnel.local_address, tunnel.remote_address}) {
      if (address) filter.bgp.push_back(IpPrefix::of(*address, kHost));
    }
    for (const IpPrefix& subnet : tunnel.remote_subnets) {
      const bool everything = subnet.length < (subnet.address.is_v4() ? kWidest4 : kWidest6);
      if (!everything) filter.leaving.push_back(subnet);
    }
  }
  for (auto* list : {&filter.leaving, &filter.bgp, &filter.pinged})
    *list = narrowed(std::move(*list), kMaxFilterPrefixes);
  return filter;
}

std::string filter_text(const CaptureFilter& filter, bool with_vlan) {
  std::string wanted;
  const auto add = [&](std::string_view clause) {
    wanted += fmt::format("{}{}", wanted.empty() ? "" : " or ", clause);
  };
  if (filter.outer) add(kOuter);
  if (!filter.leaving.empty()) add(fmt::format("(outbound and ({}))", any_of("dst ", filter.leaving)));
  if (filter.all_bgp) add("tcp port 179");
  if (!filter.bgp.empty()) add(fmt::format("(tcp port 179 and ({}))", any_of("", filter.bgp)));
  if (!filter.pinged.empty()) {
    add(fmt::format(
        "(((icmp and (icmp[0] = 8 or icmp[0] = 0)) or (icmp6 and (ip6[40] = 128 or ip6[40] = 129))) and ({}))",
        any_of("", filter.pinged)));
  }
  if (wanted.empty()) return "less 0";  // nothing
  return with_vlan ? fmt::format("({0}) or (vlan and (({0}) or (vlan and ({0}))))", wanted) : wanted;
}

}  // namespace tunnelwatch::io
