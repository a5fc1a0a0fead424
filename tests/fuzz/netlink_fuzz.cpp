#include "agent/diagnosis/kernel_evidence.h"
#include "probes/host/neighbour_failures.h"
#include "probes/host/netlink.h"
#include "tests/fuzz/check.h"

#include <cstdint>

// Any bytes as the kernel's answer, and what follows from it: bounded, and never more than was said.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  host::KernelView view;
  view.complete = true;
  const auto answer = host::parse_netlink({data, size}, 1, view);
  check(answer.messages <= size / 16 && answer.error >= 0);
  check(view.links.size() + view.addresses.size() + view.routes.size() + view.neighbours.size() <= answer.messages + 1);
  host::NeighbourFailures failures;  // they change nothing but what is being resolved
  failures.note(view.neighbours);
  const auto told = view.neighbours;
  failures.complete(view.neighbours);
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto now = view.neighbours[i].state;
    check(now == told[i].state ||
          (told[i].state == host::NeighbourState::resolving && now == host::NeighbourState::failed));
  }
  if (!view.routes.empty()) view.ways[*IpAddress::parse("198.51.100.20")] = view.routes.front();
  config::Tunnel tunnel;
  tunnel.local = IpAddress::parse("192.0.2.10");
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("2001:db8::/32")};
  tunnel.tunnel_interface = view.links.empty() ? "ipsec0" : view.links.begin()->second.name;
  diagnosis::Facts facts;
  diagnosis::judge_kernel(facts, tunnel, IpAddress::parse("198.51.100.20"), view, TimePoint{});
  return 0;
}
