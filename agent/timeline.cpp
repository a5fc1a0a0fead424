#include "agent/timeline.h"

#include "agent/diagnosis/wording.h"
#include "agent/timeline_words.h"
#include "probes/wire/ike_describe.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;
using exporters::Text;
using passive::IkeObservation;
using passive::IkeSight;

namespace {

constexpr std::size_t kMostStreams = 1024;
constexpr std::size_t kMostObservations = 64;  // of one message
// A silence without a repetition is told once, when it is this long.
constexpr Duration kSilence = 2s;
// A stream that another one replaced is over after a short silence, any other after a long one.
constexpr Duration kReplaced = 2s;
constexpr Duration kIdle = 60s;

bool is_unanswered(IkeSight sight) {
  switch (sight) {
    case IkeSight::init_unanswered:
    case IkeSight::auth_unanswered:
    case IkeSight::eap_unanswered:
    case IkeSight::xauth_unanswered:
    case IkeSight::child_unanswered:
    case IkeSight::request_unanswered:
      return true;
    default:
      return false;
  }
}

std::uint64_t messages_of(const passive::IkePeerView* view) {
  return view == nullptr ? 0 : view->messages[0] + view->messages[1];
}

std::uint64_t fingerprint_of(wire::Bytes bytes) {
  std::uint64_t h = 0xcbf29ce484222325U;  // FNV-1a
  for (const std::uint8_t byte : bytes) h = (h ^ byte) * 0x100000001b3U;
  return h;
}

// Where a stream begins again at nought it left the front end's table and came back.
bool grew(const passive::EspStreamSummary& now, const passive::EspStreamSummary& before) {
  return now.packets != before.packets;
}

}  // namespace

Timeline::Timeline(Watch& watch, const TimelineOptions& options, Write write)
    : watch_(watch), lines_(options), write_(std::move(write)) {
  watch_.set_on_observation([this](const auto& peer, const auto& observation) { on_observation(peer, observation); });
  watch_.set_on_change(
      [this](const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now) { on_change(tunnel, settled, now); });
}

Timeline::~Timeline() {
  watch_.set_on_observation({});
  watch_.set_on_change({});
}

void Timeline::flush() {
  const std::string text = lines_.take();
  if (!text.empty()) write_(text);
}

TimelinePair& Timeline::pair_of(const IpAddress& source, const IpAddress& destination, TimePoint at) {
  if (const auto key = watch_.tracker().key_of(source, destination)) return lines_.pair(*key, true, at);
  const bool ours = watch_.tracker().is_sent_by_us(source, destination);
  const passive::PeerKey guess = ours ? passive::PeerKey{source, destination} : passive::PeerKey{destination, source};
  return lines_.pair(guess, false, at);
}

LineKind Timeline::arrow(const TimelinePair& pair, const IpAddress& source) {
  return source == pair.key.local ? LineKind::out : LineKind::in;
}

// What a side says again, byte by byte, need not be read again.
Text Timeline::message(TimelinePair& pair, const wire::Datagram& d) const {
  const std::uint64_t fingerprint = fingerprint_of(d.payload);
  std::uint64_t& before = pair.fingerprint[d.source == pair.key.local ? 0 : 1];
  const bool again = before == fingerprint;
  before = fingerprint;
  const auto header = wire::parse_ike_header(d.payload);
  if (again && header) return words_message_again(wire::describe_exchange(*header), d.payload.size());
  const std::string words = wire::describe_ike(d.payload, d.cut);
  return {words, words};
}

std::string Timeline::remarks(TimelinePair& pair, const wire::Datagram& d, bool reassembled, bool duplicate,
                              bool probe) {
  std::string text;
  const std::uint16_t port = d.source == pair.key.local ? d.destination_port : d.source_port;
  if (port != pair.port) {
    pair.port = port;
    text += fmt::format(" [UDP {}]", port);
  }
  if (reassembled) text += lines_.in_language(kWordsFromFragments);
  if (duplicate) text += lines_.in_language(kWordsSeenTwice);
  if (probe) text += lines_.in_language(kWordsProbe);
  return text;
}

void Timeline::on_ike(const wire::Datagram& d, TimePoint at, bool reassembled) {
  now_ = at;
  end_streams(at);
  const auto& tracker = watch_.tracker();
  const auto key = tracker.key_of(d.source, d.destination);
  const std::uint64_t messages = key ? messages_of(tracker.find(*key)) : 0;
  const std::uint64_t duplicates = tracker.counters().duplicates;
  observed_.clear();
  in_message_ = true;
  watch_.on_ike(d, at, reassembled);
  in_message_ = false;
  const bool duplicate = tracker.counters().duplicates != duplicates;
  const auto now_key = tracker.key_of(d.source, d.destination);
  const bool probe = now_key && !duplicate && messages_of(tracker.find(*now_key)) == messages;
  TimelinePair& pair = pair_of(d.source, d.destination, at);
  Text words = message(pair, d);
  const std::string behind = remarks(pair, d, reassembled, duplicate, probe);
  lines_.line(arrow(pair, d.source), pair, at, {words.en + behind, words.zh + behind});
  for (const auto& [peer, observation] : observed_) tell(peer, observation, /*with_message=*/true);
  flush();
}

void Timeline::on_observation(const passive::PeerKey& peer, const IkeObservation& o) {
  if (in_message_) {
    if (observed_.size() < kMostObservations) observed_.emplace_back(peer, o);
    return;
  }
  tell(peer, o, /*with_message=*/false);
  flush();
}

void Timeline::tell(const passive::PeerKey& peer, const IkeObservation& o, bool with_message) {
  // The line of the message itself says these.
  if (o.sight == IkeSight::request_answered || o.sight == IkeSight::port_floated) return;
  TimelinePair& pair = lines_.pair(peer, true, now_);
  if (is_unanswered(o.sight)) return tell_silence(pair, o, with_message);
  lines_.line(LineKind::note, pair, now_, meaning_of(o));
}

// A repetition is told with its message. Without one, the tracker speaks up again and again: once is enough.
void Timeline::tell_silence(TimelinePair& pair, const IkeObservation& o, bool with_message) {
  const Duration silence = now_ - o.since;
  if (with_message) {
    if (o.sends > 1) lines_.line(LineKind::note, pair, now_, words_sent_again(silence, o.sends));
    return;
  }
  TimePoint& told = pair.silence_told[passive::index(o.by)];
  if (o.sends > 1 || silence < kSilence || told == o.since) return;
  told = o.since;
  lines_.line(LineKind::note, pair, now_, words_silence(silence));
}

void Timeline::on_change(const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now) {
  if (!tunnel.peer()) return;
  now_ = now;
  TimelinePair& pair = lines_.pair(*tunnel.peer(), true, now);
  if (settled.state) lines_.line(LineKind::state, pair, now, words_state(*settled.state));
  for (const auto& change : settled.causes) {
    lines_.line(change.active ? LineKind::raised : LineKind::cleared, pair, now, words_cause(tunnel, change));
  }
  flush();
}

void Timeline::on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) {
  now_ = at;
  end_streams(at);
  TimelinePair& pair = pair_of(quoted.source, quoted.destination, at);
  const bool esp = quoted.kind == wire::DatagramKind::esp || quoted.kind == wire::DatagramKind::esp_in_udp;
  const std::string_view what = esp ? "ESP" : "IKE";
  const std::uint16_t port = quoted.kind == wire::DatagramKind::esp ? std::uint16_t{0} : quoted.destination_port;
  const auto reason = refusal_of_icmp(error.source.family(), error.icmp_type, error.icmp_code);
  const bool about_ours = quoted.source == pair.key.local;
  lines_.line(error.destination == pair.key.local ? LineKind::in : LineKind::out, pair, at,
              about_ours
                  ? diagnosis::describe_rejection(reason, error.source, error.source == pair.key.remote, what, port)
                  : words_rejects_peer(error.source, what, port, reason));
  watch_.on_icmp_error(error, quoted, at);
  flush();
}

void Timeline::on_nat_keepalive(const wire::Datagram& d, TimePoint at) {
  now_ = at;
  TimelinePair& pair = pair_of(d.source, d.destination, at);
  const LineKind kind = arrow(pair, d.source);
  bool& told = pair.keepalive_told[kind == LineKind::out ? 0 : 1];
  if (!told) lines_.line(kind, pair, at, kWordsKeepalive);
  told = true;
  watch_.on_nat_keepalive(d, at);
  flush();
}

void Timeline::on_esp(const passive::EspStreamSummary& s) {
  now_ = std::max(now_, s.last);
  const auto [it, is_new] = streams_.try_emplace({s.source, s.destination, s.spi});
  Stream& stream = it->second;
  if (is_new || (stream.ended && grew(s, stream.last))) {
    TimelinePair& pair = pair_of(s.source, s.destination, now_);
    lines_.line(arrow(pair, s.source), pair, now_,
                is_new ? words_esp_begins(s) : words_esp_goes_on(s, s.last - stream.last.last));
    stream.ended = false;
  }
  stream.last = s;
  if (streams_.size() > kMostStreams) make_room_for_stream();
  watch_.on_esp(s);
  end_streams(now_);
  flush();
}

void Timeline::make_room_for_stream() {
  streams_.erase(std::min_element(streams_.begin(), streams_.end(), [](const auto& a, const auto& b) {
    return a.second.last.last < b.second.last.last;
  }));
}

void Timeline::end_streams(TimePoint now) {
  if (now < next_look_) return;
  next_look_ = now + 1s;
  // The youngest stream of each direction.
  std::map<std::pair<IpAddress, IpAddress>, TimePoint> youngest;
  for (const auto& [key, stream] : streams_) {
    TimePoint& first = youngest[{stream.last.source, stream.last.destination}];
    first = std::max(first, stream.last.first);
  }
  for (auto& [key, stream] : streams_) {
    const auto& s = stream.last;
    const bool replaced = youngest[{s.source, s.destination}] > s.first;
    if (stream.ended || now - s.last < (replaced ? kReplaced : kIdle)) continue;
    stream.ended = true;
    TimelinePair& pair = pair_of(s.source, s.destination, now);
    lines_.line(arrow(pair, s.source), pair, now, words_esp_ends(s, now - s.last));
  }
}

void Timeline::on_fragments(const passive::FragmentEvent& e) {
  now_ = std::max(now_, e.last);
  if (e.kind != passive::FragmentEventKind::completed) {
    TimelinePair& pair = pair_of(e.source, e.destination, now_);
    lines_.line(arrow(pair, e.source), pair, now_, diagnosis::describe_fragments(e, e.source == pair.key.remote));
  }
  watch_.on_fragments(e);
  flush();
}

// What is seen beside IKE and ESP belongs to tunnels of a configuration: what follows from it is told as a cause.
void Timeline::on_leak(const passive::LeakSummary& leak) {
  now_ = std::max(now_, leak.last);
  watch_.on_leak(leak);
}

void Timeline::on_tunnel_pings(const passive::TunnelPingSummary& pings) {
  now_ = std::max(now_, pings.last);
  watch_.on_tunnel_pings(pings);
}

void Timeline::on_bgp(const passive::BgpObservation& o) {
  now_ = std::max(now_, o.at);
  TimelinePair& pair = pair_of(o.speaker, o.other, now_);
  lines_.line(arrow(pair, o.speaker), pair, now_, words_bgp(o));
  watch_.on_bgp(o);
  flush();
}

void Timeline::advance(TimePoint now) {
  now_ = now;
  end_streams(now);
  flush();
}

void Timeline::finish(TimePoint now) {
  for (auto& [key, stream] : streams_) {
    if (stream.ended) continue;
    TimelinePair& pair = pair_of(stream.last.source, stream.last.destination, now);
    const Duration silence = now - stream.last.last;
    lines_.line(arrow(pair, stream.last.source), pair, now,
                silence < kReplaced ? words_esp_total(stream.last) : words_esp_ends(stream.last, silence));
  }
  flush();
}

}  // namespace tunnelwatch::agent
