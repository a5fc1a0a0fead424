#include "probes/active/path_mtu.h"

#include <algorithm>

namespace tunnelwatch::active {

namespace {

constexpr std::size_t kEchoHeader = 8;
constexpr std::size_t kNonce = 8;
constexpr std::size_t kSmallPayload = 56;
constexpr std::uint16_t kLeastMtu6 = 1280;
constexpr std::chrono::milliseconds kLeastGrace{100};
// Of the small ones of a round, this many must be answered for silence to mean something.
constexpr std::size_t kEnoughSmall = 2;

}  // namespace

std::string_view to_string(PathMtuOutcome outcome) {
  switch (outcome) {
    case PathMtuOutcome::searching:
      return "searching";
    case PathMtuOutcome::whole:
      return "whole";
    case PathMtuOutcome::announced:
      return "announced";
    case PathMtuOutcome::black_hole:
      return "black_hole";
    case PathMtuOutcome::unknown:
      return "unknown";
  }
  return "unknown";
}

PathMtu::PathMtu(std::uint64_t seed, const PathMtuParams& params, TimePoint now)
    : params_(params),
      random_(seed),
      id_(static_cast<std::uint16_t>(random_.next())),
      sequence_base_(static_cast<std::uint16_t>(random_.next())),
      small_(static_cast<std::uint16_t>(ip_header_size(params.target.family()) + kEchoHeader + kSmallPayload)),
      low_(params.target.is_v4() ? kFloor4 : kFloor6),
      high_(std::max(params.link_mtu, low_)),
      next_at_(now) {
  params_.repeats = std::clamp<std::uint8_t>(params_.repeats, kEnoughSmall, 10);
  params_.gap = std::max(params_.gap, std::chrono::milliseconds{1});
  params_.link_mtu = high_;
  begin_round(high_, now);
}

void PathMtu::begin_round(std::uint16_t size, TimePoint now) {
  size_ = size;
  round_begin_ = probes_.size();
  round_pairs_ = 0;
  next_at_ = now;
}

// How long the last of a round is waited for: longer than anything took, and never forever.
Duration PathMtu::grace() const {
  if (slowest_ == Duration::zero()) return params_.timeout;
  return std::min<Duration>(std::max<Duration>(slowest_ * 4, kLeastGrace), params_.timeout);
}

std::optional<TimePoint> PathMtu::next_deadline() const {
  if (done()) return std::nullopt;
  return next_at_;
}

void PathMtu::advance(TimePoint now, std::vector<TracePacket>& out) {
  if (done() || now < next_at_) return;
  if (round_pairs_ == params_.repeats) conclude(now);
  if (done() || now < next_at_) return;
  if (probes_.size() + 2 > kMostPackets) return finish();
  send(size_, now, out);
  send(small_, now, out);
  ++round_pairs_;
  next_at_ = now + (round_pairs_ == params_.repeats ? grace() : Duration{params_.gap});
}

// All of a round were sent and waited for, and the size in question was not answered.
void PathMtu::conclude(TimePoint now) {
  std::size_t small_answered = 0;
  for (std::size_t i = round_begin_; i < probes_.size(); ++i) {
    if (probes_[i].size == small_ && probes_[i].answered) ++small_answered;
  }
  if (small_answered < kEnoughSmall) {
    if (++lost_rounds_ >= kLostRounds) return finish();
    return begin_round(size_, now);
  }
  result_.smallest_silent = size_;
  high_ = static_cast<std::uint16_t>(size_ - 1);
  next_size(now);
}

void PathMtu::next_size(TimePoint now) {
  if (low_ > high_) return finish();
  begin_round(static_cast<std::uint16_t>(low_ + (high_ - low_ + 1) / 2), now);
}

void PathMtu::finish() {
  const bool vanished = result_.smallest_silent != 0 && result_.mtu < result_.smallest_silent;
  if (result_.mtu == params_.link_mtu) {
    result_.outcome = PathMtuOutcome::whole;
  } else if (low_ <= high_) {  // ended before it was found
    result_.outcome = PathMtuOutcome::unknown;
  } else if (vanished && (result_.announced == 0 || result_.mtu < result_.announced)) {
    result_.outcome = PathMtuOutcome::black_hole;
  } else {
    result_.outcome = PathMtuOutcome::announced;
  }
}

void PathMtu::send(std::uint16_t size, TimePoint now, std::vector<TracePacket>& out) {
  const auto number = static_cast<std::uint32_t>(probes_.size());
  probes_.push_back({size, now, false});
  const bool v4 = params_.target.is_v4();
  const ProbeHeader header{.from = params_.source,
                           .to = params_.target,
                           .ttl = 64,
                           .protocol = v4 ? kProtocolIcmp : kProtocolIcmp6,
                           .id = static_cast<std::uint16_t>(number + 1),
                           .dont_fragment = true};
  std::vector<std::uint8_t> payload(size - ip_header_size(params_.target.family()) - kEchoHeader);
  const std::uint64_t nonce = random_.tag(number, size);
  for (std::size_t i = 0; i < kNonce; ++i) payload[i] = static_cast<std::uint8_t>(nonce >> (8 * (kNonce - 1 - i)));
  out.push_back({number, params_.target,
                 echo_request(header, id_, static_cast<std::uint16_t>(sequence_base_ + number), id_, payload)});
}

void PathMtu::on_sent(std::uint32_t probe, TimePoint stamp) {
  if (probe < probes_.size()) probes_[probe].sent = stamp;
}

void PathMtu::on_send_error(std::uint32_t probe, RefusalReason reason) {
  if (done() || probe >= probes_.size() || reason != RefusalReason::message_too_long) return;
  const std::uint16_t size = probes_[probe].size;
  if (size != size_) return;
  high_ = params_.link_mtu = static_cast<std::uint16_t>(size - 1);  // our own link takes less than it was said to
  next_size(next_at_);
}

bool PathMtu::on_icmp(std::span<const std::uint8_t> message, const IpAddress& from, TimePoint received_at) {
  if (from.family() != params_.target.family()) return false;
  const auto quote = read_probe_quote(message, from.family());
  if (!quote || quote->id != id_) return false;
  const auto number = static_cast<std::uint16_t>(quote->sequence - sequence_base_);
  if (number >= probes_.size()) return false;
  wire::ByteReader r(quote->data);
  const std::uint64_t nonce = r.u64();
  if (!r.failed() && nonce != random_.tag(number, probes_[number].size)) return false;
  Probe& probe = probes_[number];
  if (quote->echo_reply) {
    if (r.failed() || from != params_.target) return false;
    on_reply(probe, received_at);
    return true;
  }
  if (quote->to != params_.target || (quote->protocol != kProtocolIcmp && quote->protocol != kProtocolIcmp6))
    return false;
  if (quote->reason == RefusalReason::fragmentation_needed) on_too_big(probe, quote->next_hop_mtu, from, received_at);
  return true;
}

void PathMtu::on_reply(Probe& probe, TimePoint at) {
  if (probe.answered) return;
  probe.answered = true;
  slowest_ = std::max(slowest_, at - probe.sent);
  if (done() || probe.size == small_ || probe.size <= result_.mtu) return;
  result_.mtu = probe.size;
  low_ = static_cast<std::uint16_t>(probe.size + 1);
  high_ = std::max(high_, probe.size);  // one that was taken for silent was slow
  if (size_ <= probe.size) next_size(at);
}

void PathMtu::on_too_big(const Probe& probe, std::uint16_t mtu, const IpAddress& from, TimePoint at) {
  const std::uint16_t least = params_.target.is_v4() ? static_cast<std::uint16_t>(small_ + 1) : kLeastMtu6;
  const bool unnumbered = mtu == 0 && params_.target.is_v4();  // RFC 1191 section 5: a router of before
  const bool plausible = unnumbered || (mtu >= least && mtu < probe.size);
  if (done() || !plausible || probe.size <= result_.mtu || (!unnumbered && mtu < result_.mtu)) {
    if (!done()) ++result_.implausible;
    return;
  }
  result_.announced_by = from;
  if (unnumbered) {
    high_ = std::min(high_, static_cast<std::uint16_t>(probe.size - 1));
  } else {
    if (result_.announced == 0 || mtu < result_.announced) result_.announced = mtu;
    high_ = std::min(high_, mtu);
    if (mtu > result_.mtu) low_ = std::min(low_, mtu);  // below the floor, where a router says so
  }
  if (size_ <= high_) return;  // an answer to an earlier one: what is asked now is below it already
  if (low_ > high_) return finish();
  if (unnumbered) return next_size(at);
  begin_round(high_, at);
}

}  // namespace tunnelwatch::active
