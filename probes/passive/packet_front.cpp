#include "probes/passive/packet_front.h"

#include "probes/wire/esp.h"

#include <algorithm>
#include <numeric>

namespace tunnelwatch::passive {

using wire::Datagram;
using wire::DatagramKind;

namespace {

constexpr std::uint8_t kTcp = 6;
constexpr Duration kFragmentsComeWithin = std::chrono::seconds(2);

}  // namespace

std::uint64_t PacketCounters::malformed_total() const {
  return std::accumulate(malformed.begin(), malformed.end(), std::uint64_t{0});
}

PacketFront::PacketFront(PacketSink& sink, const PacketFrontOptions& options)
    : sink_(sink), options_(options), reassembly_(options.reassembly), esp_(options.esp, options.hash_seed) {
  summaries_.reserve(options.esp.streams);
}

void PacketFront::on_frame(wire::LinkType link, wire::Bytes frame, std::uint32_t wire_length, TimePoint at,
                           wire::LinkDirection direction) {
  ++counters_.frames;
  if (at >= next_summary_) on_tick(at);
  latest_ = std::max(latest_, at);
  if (const auto esp = wire::glance_at_esp(link, frame, wire_length); esp && esp_.on_known(*esp, at)) {
    ++counters_.by_kind[static_cast<std::size_t>(esp->in_udp ? DatagramKind::esp_in_udp : DatagramKind::esp)];
    return;
  }
  auto decoded = wire::decode_frame(link, frame, wire_length);
  if (!decoded) {
    ++counters_.malformed[static_cast<std::size_t>(decoded.error())];
    return;
  }
  if (decoded->link_direction == wire::LinkDirection::unknown) decoded->link_direction = direction;
  ++counters_.by_kind[static_cast<std::size_t>(decoded->kind)];
  if (decoded->kind == DatagramKind::fragment) {
    on_fragment(*decoded, at);
  } else {
    on_datagram(*decoded, at, /*reassembled=*/false);
    on_clear(*decoded, link, frame, at);
  }
}

void PacketFront::set_interest(const TrafficInterest& interest) {
  pings_.set_interest(interest);
  if (options_.inside) return;
  leaks_.set_interest(interest);
  paths_.set_interest(interest);
}

// What is neither IKE nor ESP, and in no ICMP error: perhaps it should have been inside the tunnel.
void PacketFront::on_clear(Datagram& d, wire::LinkType link, wire::Bytes frame, TimePoint at) {
  if (d.kind == DatagramKind::other && d.ip_protocol == kTcp) on_bgp(d, at);
  if (d.kind == DatagramKind::icmp_echo) pings_.on_packet(d, at);
  if (d.kind == DatagramKind::ike) on_outer(d.source, d.destination, at);
  if (!leaks_.watches()) return;
  if (d.kind != DatagramKind::other && d.kind != DatagramKind::icmp_echo) return;
  if (link == wire::LinkType::ethernet && own_mac_) {
    const bool ours = std::equal(own_mac_->begin(), own_mac_->end(), frame.begin() + 6);
    d.link_direction = ours ? wire::LinkDirection::out : wire::LinkDirection::in;
  }
  leaks_.on_packet(d, at, leak_summaries_);
  tell_leaks();
}

void PacketFront::on_bgp(const Datagram& d, TimePoint at) {
  if (d.fragment_offset != 0 || d.more_fragments) return;
  bgp_.on_packet(d, at, bgp_sights_);
  for (BgpObservation& sight : bgp_sights_) {
    sight.interface = options_.interface;
    sink_.on_bgp(sight);
  }
  bgp_sights_.clear();
}

void PacketFront::on_datagram(const Datagram& d, TimePoint at, bool reassembled) {
  switch (d.kind) {
    case DatagramKind::esp:
    case DatagramKind::esp_in_udp:
      return on_esp(d, at);
    case DatagramKind::ike:
      if (d.cut) ++counters_.cut;
      return sink_.on_ike(d, at, reassembled);
    case DatagramKind::nat_keepalive:
      return sink_.on_nat_keepalive(d, at);
    case DatagramKind::icmp_error:
      return on_icmp_error(d, at);
    case DatagramKind::ah:
    case DatagramKind::icmp_echo:
    case DatagramKind::fragment:
    case DatagramKind::other:
      return;
  }
}

void PacketFront::on_esp(const Datagram& d, TimePoint at) {
  if (!esp_.on_packet(d, at) || announced_ >= options_.announcements) return;
  ++announced_;
  EspStreamSummary newest = esp_.newest();
  newest.interface = options_.interface;
  sink_.on_esp(newest);
}

void PacketFront::on_fragment(const Datagram& d, TimePoint at) {
  if (d.fragment_offset == 0) {
    // ESP that was fragmented after encapsulation: its header stands in the first fragment, and the packet counts.
    const auto begun = wire::decode_first_fragment(d);
    if (begun && (begun->kind == DatagramKind::esp || begun->kind == DatagramKind::esp_in_udp)) {
      ++counters_.esp_fragments;
      if (begun->payload.size() >= wire::kEspHeaderSize) on_esp(*begun, at);
    }
  } else if (d.ip_protocol == 50) {
    ++counters_.esp_fragments;
  }
  if (d.ip_protocol != 17) return;
  const Datagram* whole = reassembly_.add(d, at);
  tell_fragments();
  if (whole != nullptr && whole->kind == DatagramKind::ike) on_datagram(*whole, at, /*reassembled=*/true);
}

void PacketFront::on_icmp_error(const Datagram& d, TimePoint at) {
  const auto quoted = wire::decode_quoted(d.payload);
  if (!quoted) {
    ++counters_.malformed[static_cast<std::size_t>(quoted.error())];
    return;
  }
  switch (quoted->kind) {
    case DatagramKind::ike:
    case DatagramKind::esp:
    case DatagramKind::esp_in_udp:
    case DatagramKind::nat_keepalive:
      return sink_.on_icmp_error(d, *quoted, at);
    default:
      return;
  }
}

void PacketFront::on_tick(TimePoint now) {
  reassembly_.expire(now);
  tell_fragments();
  if (now < next_summary_) return;
  next_summary_ = now + options_.summary_interval;
  announced_ = 0;
  summaries_.clear();
  esp_.collect(summaries_);
  tell_esp();
  leaks_.collect(leak_summaries_);
  tell_leaks();
  tell_pings(now);
  tell_paths();
}

void PacketFront::finish() {
  if (latest_ != TimePoint::min()) {
    // Of the trains still open, the youngest may only be unfinished; fragments come together or not at all.
    reassembly_.expire(latest_ + options_.reassembly.timeout - kFragmentsComeWithin);
    tell_fragments();
  }
  summaries_.clear();
  esp_.collect_final(summaries_);
  tell_esp();
}

void PacketFront::tell_fragments() {
  for (const FragmentEvent& event : reassembly_.events()) sink_.on_fragments(event);
}

void PacketFront::tell_esp() {
  for (EspStreamSummary& stream : summaries_) {
    stream.interface = options_.interface;
    on_outer(stream.source, stream.destination, stream.last);
    sink_.on_esp(stream);
  }
}

void PacketFront::on_outer(const IpAddress& source, const IpAddress& destination, TimePoint at) {
  leaks_.on_outer(source, destination, at);
  paths_.on_packet(source, destination, at);
}

void PacketFront::tell_paths() {
  paths_.collect(path_summaries_);
  for (OuterPathSummary& path : path_summaries_) {
    path.interface = options_.interface;
    sink_.on_outer_path(path);
  }
  path_summaries_.clear();
}

void PacketFront::tell_pings(TimePoint now) {
  pings_.collect(now, ping_summaries_);
  for (TunnelPingSummary& pings : ping_summaries_) {
    pings.interface = options_.interface;
    pings.inside = options_.inside;
    sink_.on_tunnel_pings(pings);
  }
  ping_summaries_.clear();
}

void PacketFront::tell_leaks() {
  for (LeakSummary& leak : leak_summaries_) {
    leak.interface = options_.interface;
    sink_.on_leak(leak);
  }
  leak_summaries_.clear();
}

}  // namespace tunnelwatch::passive
