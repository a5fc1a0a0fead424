#include "probes/io/capture_filter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <pcap/pcap.h>

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

// Link header, IPv6, UDP and ESP headers, and some room.
constexpr bpf_u_int32 kHeaderBytes = 96;

// ESP, plain or in UDP, that is no fragment. Between 500 and 4500 IKE may come without its marker; a keepalive is too
// short to be asked for a marker.
constexpr const char* kWholeEsp =
    "(ip proto 50 and ip[6:2] & 0x3fff = 0) or ip6 proto 50"
    " or (ip proto 17 and ip[6:2] & 0x3fff = 0 and udp port 4500 and not udp port 500"
    " and udp[4:2] >= 16 and udp[8:4] != 0)"
    " or (ip6 proto 17 and udp port 4500 and not udp port 500 and ip6[44:2] >= 16 and ip6[48:4] != 0)";

using Program = std::vector<bpf_insn>;

// Nothing where the link type cannot have what the expression asks for; pcap_geterr() tells.
std::optional<Program> compile(pcap_t* handle, const std::string& expression) {
  bpf_program compiled{};
  if (pcap_compile(handle, &compiled, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) return std::nullopt;
  Program program(compiled.bf_insns, compiled.bf_insns + compiled.bf_len);
  pcap_freecode(&compiled);
  return program;
}

// A program's answer is how many bytes to keep.
Program keeping(Program program, bpf_u_int32 bytes) {
  for (bpf_insn& i : program) {
    if (i.code == (BPF_RET | BPF_K) && i.k != 0) i.k = bytes;
  }
  return program;
}

// Where `first` keeps nothing, `second` is asked.
Program chained(Program first, const Program& second) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].code != (BPF_RET | BPF_K) || first[i].k != 0) continue;
    first[i] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<bpf_u_int32>(first.size() - i - 1));
  }
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::string tagged(const std::string& wanted, bool with_vlan) {
  return with_vlan ? fmt::format("({0}) or (vlan and (({0}) or (vlan and ({0}))))", wanted) : wanted;
}

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
  if (filter.all_bgp) add("tcp port 179");
  if (!filter.bgp.empty()) add(fmt::format("(tcp port 179 and ({}))", any_of("", filter.bgp)));
  if (!filter.pinged.empty()) {
    add(fmt::format(
        "(((icmp and (icmp[0] = 8 or icmp[0] = 0)) or (icmp6 and (ip6[40] = 128 or ip6[40] = 129))) and ({}))",
        any_of("", filter.pinged)));
  }
  return tagged(wanted.empty() ? "less 0" : wanted, with_vlan);
}

std::string leaving_text(const CaptureFilter& filter, bool with_vlan) {
  return tagged(fmt::format("outbound and ({})", any_of("dst ", filter.leaving)), with_vlan);
}

std::optional<std::string> set_capture_filter(pcap_t* handle, const std::string& interface,
                                              const CaptureFilter& filter) {
  const auto compile_text = [&](auto* text) {
    auto program = compile(handle, text(filter, true));
    return program ? program : compile(handle, text(filter, false));  // a link type without VLAN tags
  };
  auto program = compile_text(filter_text);
  const auto leaving = filter.leaving.empty() ? std::optional<Program>() : compile_text(leaving_text);
  if (!program || (!filter.leaving.empty() && !leaving)) {
    return fmt::format("the capture filter does not fit {}: {}", interface, pcap_geterr(handle));
  }
  // What leaves in clear is asked for last: IKE to a peer that lies in its own subnets is kept whole.
  if (leaving) program = chained(std::move(*program), keeping(*leaving, kHeaderBytes));
  if (const auto esp = compile(handle, kWholeEsp); esp && filter.outer) {
    program = chained(keeping(*esp, kHeaderBytes), *program);
  }
  bpf_program whole{static_cast<unsigned>(program->size()), program->data()};
  if (pcap_setfilter(handle, &whole) == 0) return std::nullopt;
  return fmt::format("the capture filter cannot be set on {}: {}", interface, pcap_geterr(handle));
}

}  // namespace tunnelwatch::io
