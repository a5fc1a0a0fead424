#include "probes/io/capture_filter.h"

#include <vector>

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace tunnelwatch::io {

namespace {

// Link header, IPv6, UDP and ESP headers, and some room.
constexpr bpf_u_int32 kEspBytes = 96;

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

// A program's answer is how many bytes to keep. Where `first` says none, `second` is asked.
Program chained(Program first, const Program& second, bpf_u_int32 kept_by_first) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].code != (BPF_RET | BPF_K)) continue;
    if (first[i].k == 0) {
      first[i] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<bpf_u_int32>(first.size() - i - 1));
    } else {
      first[i].k = kept_by_first;
    }
  }
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

std::string capture_filter(bool with_vlan) {
  // Later fragments have no ports and no ICMP: by their offset, of UDP and ESP only.
  const std::string ours =
      "udp port 500 or udp port 4500 or ip proto 50 or ip6 proto 50"
      " or (icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 5 or icmp[0] = 11 or icmp[0] = 12))"
      " or (icmp6 and ip6[40] >= 1 and ip6[40] <= 4)"
      " or (ip proto 17 and ip[6:2] & 0x3fff != 0) or ip6 proto 44";
  return with_vlan ? fmt::format("({0}) or (vlan and (({0}) or (vlan and ({0}))))", ours) : ours;
}

std::optional<std::string> set_capture_filter(pcap_t* handle, const std::string& interface) {
  auto program = compile(handle, capture_filter(true));
  if (!program) program = compile(handle, capture_filter(false));
  if (!program) return fmt::format("the capture filter does not fit {}: {}", interface, pcap_geterr(handle));
  if (auto esp = compile(handle, kWholeEsp)) program = chained(std::move(*esp), *program, kEspBytes);
  bpf_program whole{static_cast<unsigned>(program->size()), program->data()};
  if (pcap_setfilter(handle, &whole) == 0) return std::nullopt;
  return fmt::format("the capture filter cannot be set on {}: {}", interface, pcap_geterr(handle));
}

}  // namespace tunnelwatch::io
