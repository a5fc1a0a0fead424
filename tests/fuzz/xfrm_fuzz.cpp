#include "agent/diagnosis/xfrm_evidence.h"
#include "probes/host/xfrm.h"
#include "probes/host/xfrm_stat.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

// Any bytes as the kernel's IPsec state, its events and its counts, and what follows: bounded, and never more than was
// said.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using fuzz::check;
  constexpr TimePoint kNow{};
  host::XfrmView view;
  view.complete = true;
  const auto answer = host::parse_xfrm({data, size}, 7, view);
  check(answer.messages <= size / 16 && answer.error >= 0);
  check(view.policies.size() + view.states.size() <= answer.messages);
  std::vector<host::XfrmEvent> events;
  host::parse_xfrm_events({data, size}, events);
  check(events.size() <= size / 16);
  host::parse_xfrm_stat({reinterpret_cast<const char*>(data), size});

  config::Tunnel tunnel;
  tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24"), *IpPrefix::parse("fd01::/64")};
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24"), *IpPrefix::parse("fd02::/64")};
  const diagnosis::XfrmIndex index(view);
  diagnosis::HardExpiries expiries;
  for (const auto& event : events) {
    if (event.state) expiries.on_expired(*event.state, view, kNow);
  }
  std::vector<IpAddress> peers{*IpAddress::parse("198.51.100.20")};
  for (const auto& state : view.states) peers.push_back(state.destination);
  for (const auto& peer : peers) {
    diagnosis::Facts facts;
    diagnosis::judge_xfrm(facts, tunnel, peer, index, kNow);
    check(index.peer(peer) != nullptr || !facts.is_not(diagnosis::FactId::policy_conflict));
    expiries.judge(facts, peer);
  }
  expiries.settle(view, kNow);
  return 0;
}
