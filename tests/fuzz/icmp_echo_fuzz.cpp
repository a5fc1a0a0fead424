#include "probes/active/icmp_echo.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

// Messages of strangers between requests of our own. Properties: each request is settled at most once, whatever comes;
// and a message that is not made from a request of ours settles nothing unless it names address, id and sequence.
namespace {

using namespace std::chrono_literals;
using namespace tunnelwatch;
using active::EchoActions;

void check(bool ok) {
  if (!ok) std::abort();
}

bool settles(const EchoObservation& o) {
  return o.outcome != EchoOutcome::late && o.outcome != EchoOutcome::duplicate && !o.after_loss;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  active::IcmpEcho echo(1);
  TimePoint now{1h};
  const IpAddress v4 = *IpAddress::parse("192.0.2.1");
  const IpAddress v6 = *IpAddress::parse("2001:db8::1");
  echo.add_target(1, v4, {.interval = 100ms, .timeout = 250ms, .source = {}}, now);
  echo.add_target(2, v6, {.interval = 100ms, .timeout = 250ms, .source = {}}, now);
  EchoActions out;
  std::vector<std::vector<std::uint8_t>> requests;
  std::size_t sent = 0;
  std::size_t settled = 0;
  std::span<const std::uint8_t> input(data, size);
  while (input.size() >= 3) {
    const std::uint8_t what = input[0];
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    std::vector<std::uint8_t> bytes(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(2 + length);
    now += std::chrono::milliseconds{what & 0x3f};
    echo.advance(now, out);
    sent += out.packets.size();
    for (const auto& p : out.packets) requests.emplace_back(out.bytes_of(p).begin(), out.bytes_of(p).end());
    // Half of the messages are a request of ours with the input laid over its head.
    if ((what & 0x40) != 0 && !requests.empty()) {
      std::vector<std::uint8_t> base = requests[length % requests.size()];
      std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 8)),
                base.begin());
      bytes = base;
    }
    echo.on_message(bytes, (what & 0x80) != 0 ? v6 : v4, 64, now, out);
    for (const EchoObservation& o : out.observations) {
      check(o.target == 1 || o.target == 2);
      settled += settles(o) ? 1 : 0;
    }
    out.clear();
    check(settled <= sent);
    check(echo.next_deadline().has_value());
  }
  return 0;
}
