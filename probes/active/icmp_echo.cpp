#include "probes/active/icmp_echo.h"

#include "probes/active/buckets.h"
#include "probes/wire/byte_reader.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace tunnelwatch::active {

using std::chrono::milliseconds;
using wire::ByteReader;
using wire::Bytes;

namespace {

constexpr std::uint8_t kEchoRequest4 = 8;
constexpr std::uint8_t kEchoReply4 = 0;
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::uint8_t kEchoReply6 = 129;
constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmp6 = 58;
constexpr std::uint8_t kNextHeaderFragment = 44;
constexpr std::uint16_t kMinPayload = 24;
constexpr std::uint16_t kMaxPayload = 8972;  // a jumbo frame's
constexpr milliseconds kMaxLag{100};         // later than this a request is skipped
constexpr milliseconds kHeldUp{1000};        // later than this silence proves nothing
constexpr milliseconds kTick{1};
constexpr std::uint64_t kMicro = 1'000'000;
// A wake-up costs more than a packet: a thousand targets cost half when they share wake-ups. Not too many of them, for
// what leaves together waits for each other on a narrow line.
constexpr std::uint64_t kSharingRate = 50 * kMicro;
constexpr std::uint64_t kShare = 8;
constexpr milliseconds kShortestShared{8};
constexpr milliseconds kLongestShared{20};
constexpr milliseconds kFastInterval{100};

// Bursts in a million seconds.
std::uint64_t rate_of(const EchoParams& p) { return 1000 * kMicro / static_cast<std::uint64_t>(p.interval.count()); }

bool is_error(IpFamily family, std::uint8_t type) {
  // Not source quench (4) and redirect (5): the packet went on.
  if (family == IpFamily::v4) return type == 3 || type == 11 || type == 12;
  return type >= 1 && type <= 4;
}

// RFC 1071.
std::uint16_t internet_checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back() << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// In network order; where the next one goes.
template <typename T>
std::uint8_t* put(std::uint8_t* out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) *out++ = static_cast<std::uint8_t>(value >> (8 * i));
  return out;
}

}  // namespace

const std::vector<double>& lag_bounds() {
  static const std::vector<double> bounds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1};
  return bounds;
}

void IcmpEcho::count_lag(Duration lag) {
  const double seconds = to_seconds(lag);
  ++counters_.lag_counts[bucket_of(lag_bounds(), seconds)];
  counters_.lag_seconds_sum += seconds;
}

// What an ICMP error quotes of an echo request. The first 8 bytes are always there, the payload's head perhaps.
struct IcmpEcho::Quote {
  IpAddress to;
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  bool has_nonce = false;
  std::uint64_t nonce = 0;
  std::uint32_t target = 0;
  std::uint32_t full_sequence = 0;
};

IcmpEcho::Request* IcmpEcho::Target::find(std::uint32_t sequence) {
  Request& request = ring[sequence & (ring.size() - 1)];
  return request.state != State::none && request.sequence == sequence ? &request : nullptr;
}

IcmpEcho::IcmpEcho(std::uint64_t seed)
    : random_(seed), id_(static_cast<std::uint16_t>(random_.next())), added_(random_.next()) {}

void IcmpEcho::add_target(std::uint32_t id, const IpAddress& address, const EchoParams& params, TimePoint now) {
  remove_target(id);
  Target target;
  target.id = id;
  target.address = address;
  target.params = params;
  EchoParams& p = target.params;
  p.interval = std::max(p.interval, milliseconds{1});
  p.timeout = std::clamp(p.timeout, milliseconds{1}, p.interval * static_cast<int>(kMaxInFlight - 1));
  p.payload_bytes = std::clamp(p.payload_bytes, kMinPayload, kMaxPayload);
  p.burst = std::clamp<std::uint16_t>(p.burst, 1, kMaxBurst);
  if (p.source && p.source->family() != address.family()) p.source.reset();
  const auto in_flight = (static_cast<std::size_t>(p.timeout / p.interval) + 2) * p.burst;
  target.timeout = p.timeout;
  target.ring.resize(std::bit_ceil(in_flight + kRemembered));
  target.next_sequence = target.oldest = static_cast<std::uint32_t>(random_.next());

  // Multiples of the golden ratio: however many have been added, their fractions lie evenly between 0 and 1.
  const std::uint64_t fraction = (++added_ * 0x9e3779b97f4a7c15U) >> 32;
  const Duration interval = p.interval;
  const auto phase = Duration{
      static_cast<std::int64_t>(static_cast<double>(fraction) / 4294967296.0 * static_cast<double>(interval.count()))};
  const Duration since = now.time_since_epoch() % interval;
  target.next_send = now + (phase - since + interval) % interval;

  if (id >= targets_.size()) targets_.resize(id + 1U);
  targets_[id] = std::move(target);
  ++target_count_;
  if (params.interval < kFastInterval) ++fast_targets_;
  rate_ += rate_of(targets_[id].params);
  ids_by_address_.emplace(address, id);
  schedule(targets_[id]);
}

void IcmpEcho::remove_target(std::uint32_t id) {
  Target* target = target_of(id);
  if (target == nullptr) return;
  deadlines_.erase(id);
  const auto [first, last] = ids_by_address_.equal_range(target->address);
  ids_by_address_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == id; }));
  if (target->params.interval < kFastInterval) --fast_targets_;
  rate_ -= rate_of(target->params);
  --target_count_;
  *target = {};
}

void IcmpEcho::schedule(Target& target) {
  const auto in_flight = [&] {
    const Request* request = target.find(target.oldest);
    return request != nullptr && request->state == State::in_flight;
  };
  while (target.oldest != target.next_sequence && !in_flight()) ++target.oldest;
  TimePoint at = target.next_send;
  if (target.oldest != target.next_sequence) at = std::min(at, target.find(target.oldest)->sent + target.timeout);
  deadlines_.set(target.id, at);
}

Duration IcmpEcho::tick() const {
  if (fast_targets_ != 0 || rate_ < kSharingRate) return kTick;
  return std::clamp(milliseconds{kShare * 1000 * kMicro / rate_}, kShortestShared, kLongestShared);
}

std::optional<TimePoint> IcmpEcho::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  const Duration at = deadlines_.top().at.time_since_epoch();
  const Duration step = tick();
  return TimePoint{(at + step - Duration{1}) / step * step};
}

void IcmpEcho::advance(TimePoint now, EchoActions& out) {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const auto [at, id] = deadlines_.top();
    wake_target(targets_[id], now, /*held_up=*/now - at > kHeldUp, out);
    schedule(targets_[id]);
  }
}

void IcmpEcho::wake_target(Target& target, TimePoint now, bool held_up, EchoActions& out) {
  expire(target, now, held_up, out);
  send_if_due(target, now, out);
}

void IcmpEcho::expire(Target& target, TimePoint now, bool held_up, EchoActions& out) {
  for (; target.oldest != target.next_sequence; ++target.oldest) {
    Request* request = target.find(target.oldest);
    if (request == nullptr || request->state != State::in_flight) continue;
    if (request->sent + target.timeout > now) return;
    if (held_up) {
      request->state = State::abandoned;
      ++counters_.abandoned;
      continue;
    }
    request->state = State::lost;
    out.observations.push_back({.target = target.id,
                                .sequence = request->sequence,
                                .outcome = EchoOutcome::lost,
                                .sent = request->sent,
                                .at = now,
                                .from = {}});
  }
}

void IcmpEcho::send_if_due(Target& target, TimePoint now, EchoActions& out) {
  if (target.next_send > now) return;
  const Duration interval = target.params.interval;
  const Duration lag = now - target.next_send;
  auto missed = static_cast<std::uint64_t>(lag / interval);
  target.next_send += interval * static_cast<std::int64_t>(missed + 1);
  count_lag(lag);
  if (lag > kMaxLag) {
    ++missed;
  } else {
    for (int i = 0; i < target.params.burst; ++i) append_request(target, now, out);
  }
  counters_.skipped += missed * target.params.burst;
}

void IcmpEcho::append_request(Target& target, TimePoint now, EchoActions& out) {
  const std::uint32_t sequence = target.next_sequence++;
  target.ring[sequence & (target.ring.size() - 1)] = {now, sequence, State::in_flight};
  const bool v4 = target.address.is_v4();
  const std::size_t offset = out.bytes.size();
  const std::size_t length = 8U + target.params.payload_bytes;
  out.bytes.resize(offset + length);
  std::uint8_t* const begin = out.bytes.data() + offset;
  std::uint8_t* at = begin;
  at = put(at, v4 ? kEchoRequest4 : kEchoRequest6);
  at = put<std::uint8_t>(at, 0);
  at = put<std::uint16_t>(at, 0);
  at = put(at, id_);
  at = put(at, static_cast<std::uint16_t>(sequence));
  at = put(at, random_.tag(target.id, sequence));
  at = put(at, target.id);
  at = put(at, sequence);
  std::iota(at, begin + length, static_cast<std::uint8_t>(at - begin));
  if (v4) put(begin + 2, internet_checksum({begin, length}));
  const EchoParams& p = target.params;
  out.packets.push_back({target.id, sequence, target.address, p.source, p.ttl, p.dscp, p.dont_fragment, p.fwmark,
                         p.interface_index, offset, length});
}

void IcmpEcho::on_sent(std::uint32_t target_id, std::uint32_t sequence, TimePoint stamp) {
  Target* target = target_of(target_id);
  Request* request = target == nullptr ? nullptr : target->find(sequence);
  if (request == nullptr || request->state != State::in_flight) return;
  // advance() finds by itself that a later stamp has moved the timeout: not once more for each echo.
  const bool sooner = stamp < request->sent;
  request->sent = stamp;
  if (sooner) schedule(*target);
}

void IcmpEcho::on_send_error(std::uint32_t target_id, std::uint32_t sequence, RefusalReason reason, TimePoint now,
                             EchoActions& out) {
  Target* target = target_of(target_id);
  Request* request = target == nullptr ? nullptr : target->find(sequence);
  if (request == nullptr || request->state != State::in_flight) return;
  request->state = State::send_error;
  out.observations.push_back({.target = target_id,
                              .sequence = sequence,
                              .outcome = EchoOutcome::send_error,
                              .reason = reason,
                              .sent = request->sent,
                              .at = now,
                              .from = {}});
  schedule(*target);
}

void IcmpEcho::on_message(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint8_t ttl,
                          TimePoint received_at, EchoActions& out) {
  if (bytes.size() < 8) {
    ++counters_.malformed;
    return;
  }
  const std::uint8_t type = bytes[0];
  if (type == (from.is_v4() ? kEchoReply4 : kEchoReply6)) {
    on_reply(bytes, from, ttl, received_at, out);
  } else if (is_error(from.family(), type)) {
    on_error(bytes, from, received_at, out);
  } else {
    ++counters_.foreign;
  }
}

void IcmpEcho::on_reply(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint8_t ttl,
                        TimePoint received_at, EchoActions& out) {
  // The kernel gives a raw IPv4 socket what it has not checked; for ICMPv6 it checks first.
  if (from.is_v4() && internet_checksum(bytes) != 0) {
    ++counters_.malformed;
    return;
  }
  ByteReader r(bytes);
  r.skip(8);
  const std::uint64_t nonce = r.u64();
  const std::uint32_t target_id = r.u32();
  const std::uint32_t sequence = r.u32();
  if (r.failed() || nonce != random_.tag(target_id, sequence)) {
    ++counters_.foreign;
    return;
  }
  Target* target = target_of(target_id);
  Request* request = target == nullptr ? nullptr : target->find(sequence);
  if (request == nullptr || target->address.family() != from.family()) {
    ++counters_.unmatched;
    return;
  }
  const Duration rtt = std::max(received_at - request->sent, Duration::zero());
  EchoObservation o{.target = target_id,
                    .sequence = sequence,
                    .outcome = EchoOutcome::reply,
                    .ttl = ttl,
                    .rtt = rtt,
                    .sent = request->sent,
                    .at = received_at,
                    .from = from};
  if (request->state == State::lost) {
    o.outcome = EchoOutcome::late;
  } else if (request->state != State::in_flight && request->state != State::abandoned) {
    o.outcome = EchoOutcome::duplicate;
  } else if (rtt > target->timeout) {
    // It came too late, but advance() did not come round to say so.
    EchoObservation lost = o;
    lost.outcome = EchoOutcome::lost;
    lost.ttl = 0;
    lost.rtt = Duration::zero();
    lost.from = {};
    out.observations.push_back(lost);
    o.outcome = EchoOutcome::late;
  }
  request->state = State::answered;  // one more reply is a duplicate, also of a late one
  out.observations.push_back(o);
  schedule(*target);
}

void IcmpEcho::on_error(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at,
                        EchoActions& out) {
  const RefusalReason reason = refusal_of_icmp(from.family(), bytes[0], bytes[1]);
  ByteReader r(bytes);
  r.skip(8);
  Quote quote;
  std::uint8_t protocol = 0;
  bool first_fragment = true;
  if (from.is_v4()) {
    const std::uint8_t version_and_length = r.u8();
    r.skip(5);
    first_fragment = (r.u16() & 0x1fff) == 0;
    r.skip(1);
    protocol = r.u8();
    r.skip(6);
    const Bytes to = r.take(4);
    const std::size_t header = (version_and_length & 0x0fU) * 4U;
    if (r.failed() || version_and_length >> 4 != 4 || header < 20) {
      ++counters_.malformed;
      return;
    }
    quote.to = IpAddress::v4(to.first<4>());
    r.skip(header - 20);
  } else {
    const std::uint8_t version = r.u8();
    r.skip(5);
    protocol = r.u8();
    r.skip(17);
    const Bytes to = r.take(16);
    if (r.failed() || version >> 4 != 6) {
      ++counters_.malformed;
      return;
    }
    quote.to = IpAddress::v6(to.first<16>());
    if (protocol == kNextHeaderFragment) {
      protocol = r.u8();
      r.skip(1);
      first_fragment = r.u16() >> 3 == 0;
      r.skip(4);
    }
  }
  const std::uint8_t type = r.u8();
  r.skip(3);
  quote.id = r.u16();
  quote.sequence = r.u16();
  if (r.failed()) {
    ++counters_.malformed;
    return;
  }
  const bool v4 = from.is_v4();
  if (protocol != (v4 ? kProtocolIcmp : kProtocolIcmp6) || type != (v4 ? kEchoRequest4 : kEchoRequest6) ||
      !first_fragment || quote.id != id_) {
    ++counters_.foreign;
    return;
  }
  quote.nonce = r.u64();
  quote.target = r.u32();
  quote.full_sequence = r.u32();
  quote.has_nonce = !r.failed();
  refuse(quote, reason, from, received_at, out);
}

// A target to that address that remembers a request with the quoted 16 bits of sequence.
IcmpEcho::Target* IcmpEcho::target_of_short_quote(const Quote& quote) {
  const auto [first, last] = ids_by_address_.equal_range(quote.to);
  for (auto it = first; it != last; ++it) {
    Target& target = targets_[it->second];
    const std::uint32_t newest = target.next_sequence - 1;
    const std::uint32_t sequence = newest - ((newest - quote.sequence) & 0xffffU);
    if (target.find(sequence) != nullptr) return &target;
  }
  return nullptr;
}

void IcmpEcho::refuse(const Quote& quote, RefusalReason reason, const IpAddress& from, TimePoint at, EchoActions& out) {
  Target* target = nullptr;
  std::uint32_t sequence = quote.full_sequence;
  if (quote.has_nonce) {
    if (quote.nonce != random_.tag(quote.target, quote.full_sequence)) {
      ++counters_.foreign;
      return;
    }
    target = target_of(quote.target);
  } else {
    target = target_of_short_quote(quote);
    if (target != nullptr) {
      const std::uint32_t newest = target->next_sequence - 1;
      sequence = newest - ((newest - quote.sequence) & 0xffffU);
    }
  }
  Request* request = target == nullptr ? nullptr : target->find(sequence);
  if (request == nullptr) {
    ++counters_.unmatched;
    return;
  }
  const bool settled =
      request->state != State::in_flight && request->state != State::lost && request->state != State::abandoned;
  if (settled) {
    ++counters_.repeated_errors;
    return;
  }
  out.observations.push_back({.target = target->id,
                              .sequence = sequence,
                              .outcome = EchoOutcome::refused,
                              .reason = reason,
                              .after_loss = request->state == State::lost,
                              .sent = request->sent,
                              .at = at,
                              .from = from});
  request->state = State::refused;
  schedule(*target);
}

}  // namespace tunnelwatch::active
