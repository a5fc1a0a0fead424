#include "probes/passive/packet_front.h"

#include <cstdint>
#include <cstdlib>

// A train of raw IP packets, each behind one byte of length and one of pause, through a front that looks for two
// tunnels' traffic. Whatever comes, what is told as a leak has the ends that the interest names, and counts never lie.
namespace {

using namespace tunnelwatch;

IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

struct Checker final : passive::PacketSink {
  std::uint64_t frames = 0;
  passive::TrafficInterest interest;

  void on_ike(const wire::Datagram&, TimePoint, bool) override {}
  void on_icmp_error(const wire::Datagram&, const wire::Datagram&, TimePoint) override {}
  void on_nat_keepalive(const wire::Datagram&, TimePoint) override {}
  void on_esp(const passive::EspStreamSummary&) override {}
  void on_fragments(const passive::FragmentEvent&) override {}
  void on_leak(const passive::LeakSummary& leak) override {
    const auto& tunnel = interest.tunnels[leak.tunnel == "a" ? 0 : 1];
    bool inside = false;
    for (const auto& p : tunnel.remote_subnets) inside = inside || p.contains(leak.destination);
    const bool own = leak.source == interest.own_addresses.front();
    const bool local = tunnel.local_subnets.front().contains(leak.source);
    if (!inside || (!own && !local) || leak.destination == *tunnel.remote) std::abort();
    if (leak.packets == 0 || leak.packets > frames || leak.translated > leak.packets || leak.last < leak.first) {
      std::abort();
    }
  }
  void on_tunnel_pings(const passive::TunnelPingSummary& pings) override {
    if (pings.tunnel != "a" || pings.answered + pings.unanswered_in_a_row > pings.requests) std::abort();
    if (pings.requests > frames) std::abort();
  }
  void on_outer_path(const passive::OuterPathSummary& path) override {
    if (!path.out && !path.in) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Checker sink;
  sink.interest.tunnels = {{.tunnel = "a",
                            .remote = IpAddress::v4(0xc6336414),
                            .local_subnets = {prefix("10.0.0.0/8")},
                            .remote_subnets = {prefix("10.0.0.0/9"), prefix("0.0.0.0/0")},
                            .local_address = IpAddress::v4(0x0a000002)},
                           {.tunnel = "b",
                            .remote = IpAddress::v4(0x0a000001),
                            .local_subnets = {prefix("::/1")},
                            .remote_subnets = {prefix("10.2.0.0/16"), prefix("4000::/2")}}};
  sink.interest.own_addresses = {IpAddress::v4(0xc000020a)};
  sink.interest.own_echo_id = 7;
  passive::PacketFrontOptions options;
  options.esp.streams = 8;  // most of the time would go into making the table
  passive::PacketFront front(sink, options);
  front.set_interest(sink.interest);
  TimePoint now{std::chrono::seconds(1)};
  wire::ByteReader r(wire::Bytes(data, size));
  while (r.left() > 2) {
    const std::size_t length = r.u8();
    now += std::chrono::milliseconds(r.u8() * 20);
    const auto packet = r.take(std::min(length, r.left()));
    ++sink.frames;
    front.on_frame(wire::LinkType::raw_ip, packet, static_cast<std::uint32_t>(packet.size()), now);
  }
  front.finish();
  return 0;
}
