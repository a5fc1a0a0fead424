#include "probes/active/path_trace.h"

#include "probes/active/ike_request.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::active {

using wire::ByteReader;
using wire::Bytes;

namespace {

constexpr std::size_t kEchoPayload = 56;
constexpr std::size_t kEchoHeader = 8;
constexpr std::uint16_t kSmallestLarge = 128;
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kMarkerPort = 4500;

bool is_echo(TraceProtocol p) { return p == TraceProtocol::icmp || p == TraceProtocol::icmp_large; }
bool is_udp(TraceProtocol p) { return p == TraceProtocol::udp_500 || p == TraceProtocol::udp_4500; }
std::uint16_t port_of(TraceProtocol p) { return p == TraceProtocol::udp_4500 ? kMarkerPort : kIkePort; }

void put(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t size) {
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
}

// The surest kind first; a responder that knows only version 1 answers the second.
IkeProbeKind kind_of(std::uint8_t attempt) {
  constexpr std::array kKinds{IkeProbeKind::sa_init, IkeProbeKind::main_mode, IkeProbeKind::version3};
  return kKinds[attempt % kKinds.size()];
}

// The nonce stands as data right behind the 8 bytes of ESP's own that every error quotes at least, and the echo's.
std::vector<std::uint8_t> esp_echo(std::uint32_t sequence, std::uint64_t nonce) {
  std::vector<std::uint8_t> data;
  put(data, nonce, 8);
  return wire::esp_echo_request(sequence, static_cast<std::uint16_t>(sequence >> 16),
                                static_cast<std::uint16_t>(sequence), data);
}
constexpr std::size_t kEspNonceAt = 8;  // behind SPI and sequence

// The first eight bytes of an ISAKMP message: of an answer, our own SPI.
std::optional<std::uint64_t> initiator_spi(Bytes datagram, bool with_marker) {
  ByteReader r(datagram);
  if (with_marker && r.u32() != 0) return std::nullopt;
  const std::uint64_t spi = r.u64();
  if (r.failed()) return std::nullopt;
  return spi;
}

}  // namespace

std::string_view to_string(TraceProtocol protocol) {
  switch (protocol) {
    case TraceProtocol::icmp:
      return "icmp";
    case TraceProtocol::udp_500:
      return "udp_500";
    case TraceProtocol::udp_4500:
      return "udp_4500";
    case TraceProtocol::esp:
      return "esp";
    case TraceProtocol::icmp_large:
      return "icmp_large";
  }
  return "icmp";
}

PathTrace::PathTrace(std::uint64_t seed, PathTraceParams params, TimePoint now)
    : params_(std::move(params)),
      random_(seed),
      id_base_(static_cast<std::uint16_t>(1 + random_.next() % (65535 - kMostPackets))),
      esp_base_(static_cast<std::uint32_t>(random_.next() % 0x7fffffff)),
      checksum_(static_cast<std::uint16_t>(1 + random_.next() % 65534)),
      next_send_(now) {
  params_.max_hops = std::clamp<std::uint8_t>(params_.max_hops, 1, PathTraceParams::kMostHops);
  params_.attempts = std::clamp<std::uint8_t>(params_.attempts, 1, 10);
  params_.interval = std::max(params_.interval, std::chrono::milliseconds{1});
  params_.timeout = std::max(params_.timeout, std::chrono::milliseconds{1});
  if (params_.large_size != 0) params_.large_size = std::max(params_.large_size, kSmallestLarge);
  const auto some = [](std::size_t n) { return std::min(n, PathTraceParams::kMostFlows); };
  // Ids of ICMP count on from a random one, so that no two flows share one.
  const auto id = static_cast<std::uint16_t>(random_.next());
  for (std::size_t i = 0; i < some(params_.icmp_flows); ++i)
    add_flow(TraceProtocol::icmp, i, static_cast<std::uint16_t>(id + i));
  for (std::size_t i = 0; i < some(params_.udp_500_ports.size()); ++i)
    add_flow(TraceProtocol::udp_500, i, params_.udp_500_ports[i]);
  for (std::size_t i = 0; i < some(params_.udp_4500_ports.size()); ++i)
    add_flow(TraceProtocol::udp_4500, i, params_.udp_4500_ports[i]);
  if (params_.esp) add_flow(TraceProtocol::esp, 0, 0);
  if (params_.large_size != 0)
    add_flow(TraceProtocol::icmp_large, 0, static_cast<std::uint16_t>(id + PathTraceParams::kMostFlows));
  outstanding_.resize(flows_.size());
}

void PathTrace::add_flow(TraceProtocol protocol, std::size_t number, std::uint16_t key) {
  flows_.push_back({.protocol = protocol, .number = static_cast<std::uint8_t>(number + 1), .key = key, .hops = {}});
}

// The last hop worth asking of this flow.
std::uint8_t PathTrace::horizon(const TraceFlow& flow) const {
  if (flow.reached != 0 || flow.rejected != 0) {
    return std::min<std::uint8_t>(flow.reached != 0 ? flow.reached : params_.max_hops,
                                  flow.rejected != 0 ? flow.rejected : params_.max_hops);
  }
  std::uint8_t reached = 0;
  std::uint8_t answered = 0;
  for (const TraceFlow& f : flows_) {
    reached = std::max(reached, f.reached);
    for (std::size_t i = f.hops.size(); i > answered; --i) {
      if (f.hops[i - 1].answered) answered = static_cast<std::uint8_t>(i);
    }
  }
  const std::uint8_t far = reached != 0 ? reached : static_cast<std::uint8_t>(answered + kSilentHops);
  return std::min(params_.max_hops, far);
}

std::uint8_t PathTrace::wanted_hop(std::size_t flow) const {
  if (outstanding_[flow] >= kOutstanding || probes_.size() >= kMostPackets) return 0;
  const TraceFlow& f = flows_[flow];
  const std::uint8_t last = horizon(f);
  for (std::uint8_t hop = 1; hop <= last; ++hop) {
    if (hop > f.hops.size()) return hop;
    const TraceHop& h = f.hops[hop - 1U];
    if (h.answered || h.silent) continue;
    const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                   [&](std::uint32_t n) { return probes_[n].flow == flow && probes_[n].hop == hop; });
    if (!waits) return hop;
  }
  return 0;
}

void PathTrace::expire(TimePoint now) {
  std::erase_if(waiting_, [&](std::uint32_t n) {
    Probe& probe = probes_[n];
    if (probe.sent + params_.timeout > now) return false;
    probe.waiting = false;
    --outstanding_[probe.flow];
    TraceHop& hop = flows_[probe.flow].hops[probe.hop - 1U];
    if (!hop.answered && hop.attempts >= params_.attempts) hop.silent = true;
    return true;
  });
}

void PathTrace::advance(TimePoint now, std::vector<TracePacket>& out) {
  expire(now);
  if (now < next_send_) return;
  for (std::size_t turn = 0; turn < flows_.size(); ++turn) {
    const std::size_t flow = (next_flow_ + turn) % flows_.size();
    const std::uint8_t hop = wanted_hop(flow);
    if (hop == 0) continue;
    next_flow_ = flow + 1;
    next_send_ = now + params_.interval;
    out.push_back(make_packet(flow, hop, now));
    return;
  }
}

std::optional<TimePoint> PathTrace::next_deadline() const {
  std::optional<TimePoint> next;
  for (const std::uint32_t n : waiting_) {
    const TimePoint at = probes_[n].sent + params_.timeout;
    if (!next || at < *next) next = at;
  }
  for (std::size_t flow = 0; flow < flows_.size() && (!next || next_send_ < *next); ++flow) {
    if (wanted_hop(flow) != 0) next = next_send_;
  }
  return next;
}

TracePacket PathTrace::make_packet(std::size_t flow, std::uint8_t hop, TimePoint now) {
  TraceFlow& f = flows_[flow];
  if (f.hops.size() < hop) f.hops.resize(hop);
  const auto number = static_cast<std::uint32_t>(probes_.size());
  probes_.push_back({static_cast<std::uint8_t>(flow), hop, true, now, 0});
  Probe& probe = probes_.back();
  probe.nonce = random_.tag(number, flow);
  if (is_udp(f.protocol)) by_spi_.emplace(probe.nonce, number);
  waiting_.push_back(number);
  ++outstanding_[flow];
  const ProbeHeader header{.from = params_.source,
                           .to = params_.target,
                           .ttl = hop,
                           .id = static_cast<std::uint16_t>(id_base_ + number),
                           .dont_fragment = f.protocol == TraceProtocol::icmp_large};
  TracePacket packet{number, params_.target, bytes_of(f, number, probe, header)};
  ++f.hops[hop - 1U].attempts;
  ++counters_.sent;
  return packet;
}

std::vector<std::uint8_t> PathTrace::bytes_of(const TraceFlow& flow, std::uint32_t number, const Probe& probe,
                                              const ProbeHeader& base) {
  ProbeHeader header = base;
  if (flow.protocol == TraceProtocol::esp) {
    header.protocol = kProtocolEsp;
    return ip_packet(header, esp_echo(esp_base_ + number, probe.nonce));
  }
  if (is_udp(flow.protocol)) {
    header.protocol = kProtocolUdp;
    const std::uint16_t port = port_of(flow.protocol);
    const auto kind = kind_of(flow.hops[probe.hop - 1U].attempts);
    return udp_datagram(header, flow.key, port, ike_request(kind, probe.nonce, port == kMarkerPort, random_));
  }
  const bool v4 = params_.target.is_v4();
  header.protocol = v4 ? kProtocolIcmp : kProtocolIcmp6;
  std::vector<std::uint8_t> payload;
  put(payload, probe.nonce, 8);
  const std::size_t head = ip_header_size(params_.target.family()) + kEchoHeader;
  const std::size_t size =
      flow.protocol == TraceProtocol::icmp_large ? std::max(params_.large_size - head, kEchoPayload) : kEchoPayload;
  payload.resize(size);
  return echo_request(header, flow.key, static_cast<std::uint16_t>(id_base_ + number), checksum_, payload);
}

void PathTrace::on_sent(std::uint32_t probe, TimePoint stamp) {
  if (probe < probes_.size() && probes_[probe].waiting) probes_[probe].sent = stamp;
}

void PathTrace::on_send_error(std::uint32_t probe, RefusalReason reason) {
  if (probe >= probes_.size() || reason == RefusalReason::no_buffers) return;  // that one is asked again in time
  TraceHop answer;
  answer.from = params_.source;
  answer.reason = reason;
  settle(probe, answer, probes_[probe].sent);
}

// The number counts a packet of this trace of that protocol.
std::optional<std::uint32_t> PathTrace::numbered(std::uint32_t number, TraceProtocol protocol) const {
  if (number >= probes_.size()) return std::nullopt;
  const TraceProtocol own = flows_[probes_[number].flow].protocol;
  if (own != protocol && !(is_echo(own) && is_echo(protocol))) return std::nullopt;
  return number;
}

// Where there is enough data for a nonce, it must be ours. A short quote is taken on its ids.
bool PathTrace::proves(std::uint32_t number, Bytes data) const {
  ByteReader r(data);
  const std::uint64_t nonce = r.u64();
  return r.failed() || nonce == probes_[number].nonce;
}

std::optional<std::uint32_t> PathTrace::probe_of_udp(const ProbeQuote& quote) const {
  const auto flow = std::find_if(flows_.begin(), flows_.end(), [&](const TraceFlow& f) {
    return is_udp(f.protocol) && f.key == quote.from_port && port_of(f.protocol) == quote.to_port;
  });
  if (flow == flows_.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(flow - flows_.begin());
  std::optional<std::uint32_t> number;
  if (const auto spi = initiator_spi(quote.data, quote.to_port == kMarkerPort)) {
    const auto found = by_spi_.find(*spi);
    if (found != by_spi_.end()) number = found->second;
  } else {
    number = numbered(static_cast<std::uint16_t>(quote.ip_id - id_base_), flow->protocol);
  }
  if (!number || probes_[*number].flow != index) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> PathTrace::probe_of(const ProbeQuote& quote) const {
  if (!quote.echo_reply && quote.to != params_.target) return std::nullopt;
  if (!quote.echo_reply && quote.protocol == kProtocolUdp) return probe_of_udp(quote);
  if (!quote.echo_reply && quote.protocol == kProtocolEsp) {
    const auto number = numbered(quote.esp_sequence - esp_base_, TraceProtocol::esp);
    if (!number || quote.spi != kEspEchoRequest) return std::nullopt;
    const Bytes nonce = quote.data.size() > kEspNonceAt ? quote.data.subspan(kEspNonceAt) : Bytes{};
    return proves(*number, nonce) ? number : std::nullopt;
  }
  const auto number = numbered(static_cast<std::uint16_t>(quote.sequence - id_base_), TraceProtocol::icmp);
  if (!number || flows_[probes_[*number].flow].key != quote.id || !proves(*number, quote.data)) return std::nullopt;
  return number;
}

bool PathTrace::settle(std::uint32_t number, TraceHop answer, TimePoint at) {
  Probe& probe = probes_[number];
  TraceFlow& flow = flows_[probe.flow];
  TraceHop& hop = flow.hops[probe.hop - 1U];
  if (probe.waiting) {
    probe.waiting = false;
    --outstanding_[probe.flow];
    std::erase(waiting_, number);
  }
  if (hop.answered) {
    ++counters_.repeated;
    return true;
  }
  answer.answered = true;
  answer.attempts = hop.attempts;
  answer.rtt = std::max(at - probe.sent, Duration::zero());
  hop = answer;
  const auto first = [&](std::uint8_t& mark) { mark = mark == 0 ? probe.hop : std::min(mark, probe.hop); };
  if (answer.reached) {
    first(flow.reached);
  } else if (answer.reason != RefusalReason::ttl_exceeded) {
    first(flow.rejected);
  }
  return true;
}

bool PathTrace::on_icmp(std::span<const std::uint8_t> message, const IpAddress& from, TimePoint received_at) {
  if (from.family() != params_.target.family()) return false;
  const auto quote = read_probe_quote(message, from.family());
  if (!quote) {
    ++counters_.malformed;
    return false;
  }
  const auto number = probe_of(*quote);
  const bool whole_reply = !quote->echo_reply || quote->data.size() >= 8;
  if (!number || !whole_reply || (quote->echo_reply && from != params_.target)) {
    ++counters_.foreign;
    return false;
  }
  TraceHop answer;
  answer.from = from;
  answer.reason = quote->reason;
  answer.icmp_type = quote->type;
  answer.icmp_code = quote->code;
  answer.mtu = quote->next_hop_mtu;
  // A target that says that the TTL ran out is a router in front of itself: an address that is translated there.
  answer.reached = from == params_.target && quote->reason != RefusalReason::ttl_exceeded;
  if (quote->echo_reply) answer.icmp_type = answer.icmp_code = 0;
  return settle(*number, answer, received_at);
}

bool PathTrace::on_udp(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint16_t from_port,
                       std::uint16_t to_port, TimePoint received_at) {
  const auto spi = initiator_spi(bytes, from_port == kMarkerPort);
  const auto found = spi ? by_spi_.find(*spi) : by_spi_.end();
  if (found == by_spi_.end() || from != params_.target) {
    ++counters_.foreign;
    return false;
  }
  const TraceFlow& flow = flows_[probes_[found->second].flow];
  if (flow.key != to_port || port_of(flow.protocol) != from_port) {
    ++counters_.foreign;
    return false;
  }
  TraceHop answer;
  answer.from = from;
  answer.reached = true;
  return settle(found->second, answer, received_at);
}

bool PathTrace::on_esp(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at) {
  const auto echo = wire::parse_esp_echo(bytes);
  // Not by the sequence of the ESP header, which some answer with 0.
  const std::uint32_t sequence = echo ? std::uint32_t{echo->id} << 16 | echo->number : 0;
  const auto number = numbered(sequence - esp_base_, TraceProtocol::esp);
  if (!echo || !echo->reply || from != params_.target || !number || echo->data.size() < 8 ||
      !proves(*number, echo->data)) {
    ++counters_.foreign;
    return false;
  }
  TraceHop answer;
  answer.from = from;
  answer.reached = true;
  return settle(*number, answer, received_at);
}

}  // namespace tunnelwatch::active
