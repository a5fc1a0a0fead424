#include "agent/watch.h"
#include "exporters/json/report_json.h"
#include "exporters/text/report_text.h"
#include "probes/passive/packet_front.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/conversation.h"

#include <numeric>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>

// Packets as gateways send them through everything that decides: front end, tracker, evidence, rules, report. The books
// balance, memory keeps its bounds, nothing is said of nothing, and what is said is valid, the same for the same
// packets, and independent of when they came.
namespace {

using namespace tunnelwatch;
using fuzz::check;

constexpr std::size_t kMaxTunnels = 3;
constexpr std::size_t kMaxEvents = 128;  // of one tunnel's report
constexpr std::size_t kMaxStreams = 32;

// Between the front end and the watch: counts what goes through.
class Counter final : public passive::PacketSink {
 public:
  explicit Counter(passive::PacketSink& sink) : sink_(sink) {}
  void on_ike(const wire::Datagram& d, TimePoint at, bool reassembled) override {
    ++ike;
    (reassembled ? put_together : whole) += 1;
    sink_.on_ike(d, at, reassembled);
  }
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) override {
    ++others;
    sink_.on_icmp_error(error, quoted, at);
  }
  void on_nat_keepalive(const wire::Datagram& d, TimePoint at) override { sink_.on_nat_keepalive(d, at); }
  void on_esp(const passive::EspStreamSummary& s) override {
    ++others;
    sink_.on_esp(s);
  }
  void on_fragments(const passive::FragmentEvent& e) override {
    ++others;
    sink_.on_fragments(e);
  }

  std::uint64_t ike = 0;
  std::uint64_t whole = 0;
  std::uint64_t put_together = 0;
  std::uint64_t others = 0;

 private:
  passive::PacketSink& sink_;
};

void check_books(const Counter& counter, const passive::PacketFront& front, const passive::IkeTrackerCounters& ike,
                 std::uint64_t sent_whole) {
  const auto& c = front.counters();
  const std::uint64_t sorted = std::accumulate(c.by_kind.begin(), c.by_kind.end(), std::uint64_t{0});
  check(sorted <= c.frames && c.frames <= sorted + c.malformed_total());
  // What is malformed beside that are packets that an ICMP error quotes.
  check(sorted + c.malformed_total() - c.frames <= c.of(wire::DatagramKind::icmp_error));
  check(counter.whole == c.of(wire::DatagramKind::ike));
  check(counter.whole >= sent_whole);
  check(counter.put_together <= front.reassembly_counters().completed);
  check(ike.messages + ike.duplicates + ike.own_probes + ike.not_ike == counter.ike);
  check(ike.malformed <= ike.messages);
}

void check_bounds(const agent::Watch& watch, const std::vector<exporters::TunnelReport>& tunnels) {
  check(tunnels.size() <= kMaxTunnels + 1);
  std::size_t peers = 0;
  watch.tracker().for_each([&](const passive::IkePeerView& view) {
    ++peers;
    check(view.offers.local.size() <= passive::kMaxOffers && view.offers.remote.size() <= passive::kMaxOffers);
  });
  check(peers <= passive::IkeTrackerLimits{}.peers);
  for (const auto& t : tunnels) {
    check(t.events.size() <= kMaxEvents && t.esp.size() <= kMaxStreams);
    for (const auto& cause : t.causes) {
      check(!cause.evidence.empty() && !cause.title.en.empty() && !cause.action.en.empty());
      check(cause.confidence == "confirmed" || cause.confidence == "likely" || cause.confidence == "possible");
      check(cause.active != cause.cleared.has_value());
    }
  }
}

// The report, with every time told as the distance from the beginning.
std::string play(wire::Bytes script, TimePoint begin) {
  const bool configured = !script.empty() && (script[0] & 1) != 0;
  agent::Watch watch({.discovery = {.max_tunnels = kMaxTunnels}, .loss = {}, .offline = true});
  if (configured) {
    config::Tunnel tunnel;
    tunnel.name = "configured";
    tunnel.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    watch.configure({tunnel});
  }
  Counter counter(watch);
  passive::PacketFrontOptions options;
  options.esp.streams = 8;  // the table is made anew for each input
  passive::PacketFront front(counter, options);
  fuzz::Conversation conversation(script.empty() ? script : script.subspan(1));
  TimePoint now = begin;
  std::uint64_t sent_whole = 0;
  while (const auto step = conversation.next()) {
    now += step->pause;
    for (const auto& packet : step->packets) {
      front.on_frame(wire::LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()), now);
    }
    sent_whole += step->whole_ike && !step->packets.empty() ? 1 : 0;
    watch.settle(now);
    front.on_tick(now);
    watch.advance(now);
  }
  front.finish();
  watch.settle(now);
  watch.finish(now);
  check_books(counter, front, watch.tracker().counters(), sent_whole);

  exporters::Report report;
  // As if the conversation had begun at noon of some day: no time is told that is not shifted with it.
  const auto clock = WallClock::of_capture_file();
  report.tunnels = watch.report(clock);
  check_bounds(watch, report.tunnels);
  if (counter.ike + counter.others == 0) {
    for (const auto& t : report.tunnels) check(t.causes.empty() && t.events.empty() && t.configured);
  }
  exporters::report_text(report);
  const std::string json = exporters::report_json(report);
  boost::system::error_code error;
  boost::json::parse(json, error);
  check(!error);

  const Duration shift = begin.time_since_epoch();
  for (auto& t : report.tunnels) {
    if (t.state_since) *t.state_since -= shift;
    for (auto& e : t.events) e.time -= shift;
    for (auto& c : t.causes) {
      c.first_seen -= shift;
      c.last_seen -= shift;
      if (c.cleared) *c.cleared -= shift;
    }
  }
  return exporters::report_json(report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  const wire::Bytes script(data, size);
  const std::string said = play(script, TimePoint{24h});
  check(play(script, TimePoint{24h}) == said);
  check(play(script, TimePoint{24h * 365 * 30}) == said);
  return 0;
}
