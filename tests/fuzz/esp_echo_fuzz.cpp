#include "probes/active/esp_probe.h"
#include "probes/active/esp_responder.h"
#include "probes/wire/esp_echo.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

// An ESP packet of a stranger. Properties: what is read lies inside of it, and is the same when it is written and read
// again; an answer is an echo reply, never longer than its request, and itself never answered; a probe that is
// outstanding takes no packet and no ICMP error that it did not cause, and ends.
namespace {

using namespace std::chrono_literals;
using namespace tunnelwatch;

void check(bool ok) {
  if (!ok) std::abort();
}

void check_reading(wire::Bytes in) {
  const auto echo = wire::parse_esp_echo(in);
  if (!echo) return;
  check(echo->size == in.size() && echo->data.size() <= in.size());
  if (!echo->data.empty()) {
    check(echo->data.data() >= in.data() && echo->data.data() + echo->data.size() <= in.data() + in.size());
  }
  if (echo->reply || echo->layout != wire::EspEchoLayout::message) return;
  const auto written = wire::esp_echo_request(echo->sequence, echo->id, echo->number, echo->data);
  check(written.size() <= in.size());
  const auto again = wire::parse_esp_echo(written);
  check(again && again->id == echo->id && again->number == echo->number && again->sequence == echo->sequence);
  check(std::equal(again->data.begin(), again->data.end(), echo->data.begin(), echo->data.end()));
}

void check_answer(wire::Bytes in) {
  const IpAddress peer = *IpAddress::parse("198.51.100.20");
  active::EspResponder responder;
  responder.set_anyone(true);
  const auto answer = responder.on_request({in, peer, true}, TimePoint{1h});
  if (!answer) return;
  check(answer->size() <= in.size() && in.size() <= active::EspResponder::kMostBytes);
  const auto echo = wire::parse_esp_echo(*answer);
  check(echo && echo->reply);
  check(!responder.on_request({*answer, peer, true}, TimePoint{2h}));
}

// The ESP sequence may be another: some answer with 0.
bool is_answer(const wire::Parsed<wire::EspEcho>& in, const wire::EspEcho& asked) {
  return in && in->reply && in->id == asked.id && in->number == asked.number &&
         std::equal(in->data.begin(), in->data.end(), asked.data.begin(), asked.data.end());
}

void check_probe(wire::Bytes in) {
  const IpAddress peer = *IpAddress::parse("198.51.100.20");
  active::EspProbe probe(in.empty() ? 1 : in[0], {.interval = 60s, .timeout = 1s});
  active::EspProbeActions out;
  probe.add_target(1, {peer, std::nullopt}, TimePoint{1h});
  probe.advance(*probe.next_deadline(), out);
  check(out.packets.size() == 1 && probe.waits());
  const auto& sent = out.packets.front().bytes;
  const bool ours = is_answer(wire::parse_esp_echo(in), *wire::parse_esp_echo(sent));
  probe.on_reply(in, peer, TimePoint{1h}, out);
  check(out.observations.empty() || in.size() >= sent.size());
  const bool quoted = in.size() >= 8 && std::equal(sent.begin(), sent.begin() + 8, in.begin());
  probe.on_icmp_error({.to = peer, .offender = peer, .reason = RefusalReason::prohibited}, in, out);
  check(out.observations.size() <= 1 && (out.observations.empty() || ours || quoted));
  probe.advance(*probe.next_deadline(), out);
  check(out.observations.size() == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The SPI that makes it worth while: a flag byte says which is laid over the first four.
  std::vector<std::uint8_t> bytes(data, data + size);
  if (bytes.size() >= 4 && (bytes[0] & 3) != 0) {
    const auto spi = static_cast<std::uint8_t>((bytes[0] & 1) != 0 ? wire::kEspEchoRequest : wire::kEspEchoReply);
    std::fill_n(bytes.begin(), 3, std::uint8_t{0});
    bytes[3] = spi;
  }
  check_reading(bytes);
  check_answer(bytes);
  check_probe(bytes);
  return 0;
}
