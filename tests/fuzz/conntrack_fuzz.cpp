#include "agent/diagnosis/flow_evidence.h"
#include "probes/host/conntrack.h"
#include "tests/fuzz/check.h"

#include <cstdint>

// Any bytes as the kernel's connections, and what follows: never more than was said.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  config::Tunnel tunnel;
  tunnel.name = "cloud";
  tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24"), *IpPrefix::parse("fd01::/64")};
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("fd02::/64")};
  diagnosis::TranslatedFlows flows;
  flows.add_tunnel(tunnel);
  std::size_t taken = 0;
  const auto answer = host::parse_conntrack({data, size}, 7, [&](const host::TrackedFlow& flow) {
    ++taken;
    flows.take(flow);
  });
  fuzz::check(taken <= size / 16 && answer.messages <= size / 16 && answer.error >= 0);
  diagnosis::Facts facts;
  flows.judge(facts, "cloud", TimePoint{});
  fuzz::check(taken != 0 || !facts.is(diagnosis::FactId::flows_translated));
  return 0;
}
