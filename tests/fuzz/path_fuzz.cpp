#include "probes/active/path_mtu.h"
#include "probes/active/path_trace.h"
#include "probes/active/trace_findings.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

// Messages of strangers between packets of a trace and of a search for the path's MTU. Properties: a message that is
// made from none of our packets is never taken; a hop is answered at most once; findings stay within the hops asked;
// the MTU stays within its bounds; and with time alone both end.
namespace {

using namespace std::chrono_literals;
using namespace tunnelwatch;

void check(bool ok) {
  if (!ok) std::abort();
}

void check_findings(const active::PathTrace& trace) {
  const auto findings = active::compare_flows(trace.flows());
  check(findings.size() == trace.flows().size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const std::size_t asked = trace.flows()[i].hops.size();
    check(findings[i].last_hop <= asked && findings[i].hop <= asked + 1 && findings[i].witnesses <= asked);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool v4 = size == 0 || (data[0] & 1) == 0;
  const IpAddress self = *IpAddress::parse(v4 ? "192.0.2.10" : "2001:db8:a::10");
  const IpAddress peer = *IpAddress::parse(v4 ? "198.51.100.20" : "2001:db8:b::20");
  const IpAddress router = *IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8:a::1");
  TimePoint now{1h};
  active::PathTraceParams params{
      .source = self, .target = peer, .max_hops = 8, .udp_500_ports = {40001}, .udp_4500_ports = {40002}};
  params.large_size = 1400;
  active::PathTrace trace(1, params, now);
  active::PathMtu mtu(2, {.source = self, .target = peer}, now);
  std::vector<active::TracePacket> sent;
  std::size_t taken = 0;
  std::span<const std::uint8_t> input(data, size);
  while (input.size() >= 4) {
    const std::uint8_t what = input[0];
    const std::uint8_t which = input[1];
    const std::size_t length = std::min<std::size_t>(input[2], input.size() - 3);
    std::vector<std::uint8_t> bytes(input.begin() + 3, input.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(3 + length);
    now += std::chrono::milliseconds{what & 0x3f};
    trace.advance(now, sent);
    mtu.advance(now, sent);
    if (sent.size() > 32) sent.erase(sent.begin(), sent.end() - 32);
    const bool quotes = (what & 0x40) != 0 && !sent.empty();
    if (quotes) {  // behind the first 8 bytes, a packet of ours with the rest of the input laid over its head
      std::vector<std::uint8_t> base = sent[which % sent.size()].bytes;
      const std::size_t over = bytes.size() > 8 ? std::min(bytes.size() - 8, base.size()) : 0;
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() - over), over, base.begin());
      bytes.resize(8);
      bytes.insert(bytes.end(), base.begin(), base.end());
    }
    const IpAddress& from = (what & 0x80) != 0 ? peer : router;
    bool ours = mtu.on_icmp(bytes, from, now);
    ours = trace.on_icmp(bytes, from, now) || ours;
    const std::span<const std::uint8_t> raw =
        quotes && bytes.size() > 60 ? std::span(bytes).subspan(v4 ? 28 : 48) : std::span(bytes);
    ours = trace.on_esp(raw, from, now) || ours;
    ours = trace.on_udp(raw.size() > 8 ? raw.subspan(8) : raw, from, 500, 40001, now) || ours;
    ours = trace.on_udp(raw.size() > 8 ? raw.subspan(8) : raw, from, 4500, 40002, now) || ours;
    check(!ours || quotes || bytes.size() >= 8);
    taken += ours ? 1U : 0U;
    check_findings(trace);
    const auto& m = mtu.result();
    check(m.mtu <= 1500 && (m.announced == 0 || m.announced < 1500));
  }
  for (int rounds = 0; !trace.done() || !mtu.done(); ++rounds) {
    check(rounds < 20000);
    now += 10ms;
    sent.clear();
    trace.advance(now, sent);
    mtu.advance(now, sent);
  }
  std::size_t answered = 0;
  for (const auto& f : trace.flows()) {
    answered +=
        static_cast<std::size_t>(std::count_if(f.hops.begin(), f.hops.end(), [](const auto& h) { return h.answered; }));
  }
  check(taken != 0 || answered == 0);
  check_findings(trace);
  return 0;
}
