#include "probes/active/esp_probe.h"

#include "probes/wire/esp.h"
#include "probes/wire/esp_echo.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::active {

namespace {

constexpr std::chrono::seconds kHeldUp{1};       // called later than this, silence proves nothing
constexpr std::chrono::seconds kFirstSpread{2};  // first requests of all peers are spread over this

std::array<std::uint8_t, EspProbe::kDataSize> bytes_of(std::uint64_t nonce) {
  std::array<std::uint8_t, EspProbe::kDataSize> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(nonce >> (8 * (out.size() - 1 - i)));
  return out;
}

}  // namespace

EspProbe::EspProbe(std::uint64_t seed, const config::EspProbe& settings)
    : settings_(settings), random_(seed), next_sequence_(static_cast<std::uint32_t>(random_.next())) {
  settings_.interval = std::max<config::milliseconds>(settings_.interval, kMinGap);
  settings_.timeout = std::max(settings_.timeout, config::milliseconds{1});
}

Duration EspProbe::spread(Duration over) {
  return Duration{static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(over.count()))};
}

void EspProbe::add_target(std::uint32_t id, const EspProbeTarget& target, TimePoint now) {
  if (const auto found = path_of_.find(id); found != path_of_.end()) {
    if (paths_[found->second].to == target) return;
    leave_path(found->second, id);
  }
  const std::uint32_t slot = path_for(target, now);
  path_of_[id] = slot;
  paths_[slot].targets.push_back(id);
}

void EspProbe::remove_target(std::uint32_t id) {
  const auto found = path_of_.find(id);
  if (found == path_of_.end()) return;
  const std::uint32_t slot = found->second;
  path_of_.erase(found);
  leave_path(slot, id);
}

void EspProbe::leave_path(std::uint32_t slot, std::uint32_t target) {
  Path& path = paths_[slot];
  std::erase(path.targets, target);
  if (!path.targets.empty()) return;
  settle(slot, /*told=*/true);
  deadlines_.erase(slot);
  path = {};
  free_slots_.push_back(slot);
}

// The path that this target shares with others, or a new one.
std::uint32_t EspProbe::path_for(const EspProbeTarget& target, TimePoint now) {
  for (std::uint32_t slot = 0; slot < paths_.size(); ++slot) {
    if (!paths_[slot].targets.empty() && paths_[slot].to == target) return slot;
  }
  auto slot = static_cast<std::uint32_t>(paths_.size());
  if (free_slots_.empty()) {
    paths_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Path& path = paths_[slot];
  path.to = target;
  path.next_regular = now + spread(std::min<Duration>(settings_.interval, kFirstSpread));
  path.bucket_full_at = now;
  schedule(slot);
  return slot;
}

void EspProbe::probe_now(std::uint32_t id) {
  const auto found = path_of_.find(id);
  if (found == path_of_.end()) return;
  paths_[found->second].wanted = true;
  schedule(found->second);
}

TimePoint EspProbe::earliest_regular(const Path& path) const {
  return path.last_send ? std::max(path.next_regular, *path.last_send + kMinGap) : path.next_regular;
}

TimePoint EspProbe::earliest_extra(const Path& path) const {
  const TimePoint token = path.bucket_full_at - settings_.interval * (kBurst - 1);
  return path.last_send ? std::max(token, *path.last_send + kMinGap) : token;
}

void EspProbe::schedule(std::uint32_t slot) {
  const Path& path = paths_[slot];
  if (path.outstanding) {
    deadlines_.set(slot, path.sent + settings_.timeout);
  } else if (path.wanted) {
    deadlines_.set(slot, std::min(earliest_regular(path), earliest_extra(path)));
  } else {
    deadlines_.set(slot, earliest_regular(path));
  }
}

std::optional<TimePoint> EspProbe::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.top().at;
}

void EspProbe::advance(TimePoint now, EspProbeActions& out) {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const std::uint32_t slot = deadlines_.top().slot;
    wake_path(slot, now, out);
    schedule(slot);
  }
}

void EspProbe::wake_path(std::uint32_t slot, TimePoint now, EspProbeActions& out) {
  Path& path = paths_[slot];
  if (path.outstanding) {
    const TimePoint deadline = path.sent + settings_.timeout;
    if (deadline > now) return;
    path.outstanding = false;
    --outstanding_;
    if (now - deadline <= kHeldUp) {
      ++path.silences;
      path.next_regular = *path.last_send + regular_interval(path);
      report(slot, {.outcome = EspProbeOutcome::silent, .at = now, .from = {}}, out);
    }
  }
  const TimePoint regular = earliest_regular(path);
  if (regular <= now && now - regular > kHeldUp) {  // the agent was held up: no storm of all peers at once
    path.next_regular = now + Duration{1} + spread(std::min<Duration>(settings_.interval, kFirstSpread));
  }
  if (earliest_regular(path) > now && !(path.wanted && earliest_extra(path) <= now)) return;
  if (path.wanted) {
    const TimePoint empty = now + settings_.interval * kBurst;
    path.bucket_full_at = std::min(std::max(path.bucket_full_at, now) + settings_.interval, empty);
  }
  send(slot, now, out);
}

Duration EspProbe::regular_interval(const Path& path) {
  Duration interval = settings_.interval;
  if (!path.answers) {
    for (std::uint32_t i = 1; i < path.silences && interval < kMaxBackoff; ++i) interval *= 2;
    interval = std::min<Duration>(interval, std::max<Duration>(kMaxBackoff, settings_.interval));
  }
  return interval * 9 / 10 + spread(interval / 5);
}

void EspProbe::send(std::uint32_t slot, TimePoint now, EspProbeActions& out) {
  Path& path = paths_[slot];
  slot_by_sequence_.erase(path.sequence);
  path.wanted = false;
  if (++next_sequence_ == 0) ++next_sequence_;  // 0 stands for none
  path.sequence = next_sequence_;
  path.nonce = random_.next();
  path.sent = now;
  path.last_send = now;
  path.outstanding = true;
  ++outstanding_;
  slot_by_sequence_[path.sequence] = slot;
  path.next_regular = now + regular_interval(path);
  const auto id = static_cast<std::uint16_t>(path.sequence >> 16);
  const auto number = static_cast<std::uint16_t>(path.sequence);
  out.packets.push_back({path.sequence, path.to.address, path.to.source, path.targets,
                         wire::esp_echo_request(path.sequence, id, number, bytes_of(path.nonce))});
}

void EspProbe::report(std::uint32_t slot, EspProbeObservation o, EspProbeActions& out) const {
  o.sent = paths_[slot].sent;
  for (const std::uint32_t target : paths_[slot].targets) {
    o.target = target;
    out.observations.push_back(o);
  }
}

// Nothing more is waited for; `told`: and an answer that comes after all is no news.
void EspProbe::settle(std::uint32_t slot, bool told) {
  Path& path = paths_[slot];
  if (path.outstanding) --outstanding_;
  path.outstanding = false;
  if (!told) return;
  slot_by_sequence_.erase(path.sequence);
  path.sequence = 0;
}

EspProbe::Path* EspProbe::path_of_probe(std::uint64_t probe) {
  const auto found = slot_by_sequence_.find(static_cast<std::uint32_t>(probe));
  return found == slot_by_sequence_.end() ? nullptr : &paths_[found->second];
}

void EspProbe::on_sent(std::uint64_t probe, TimePoint stamp) {
  Path* const path = path_of_probe(probe);
  if (path == nullptr || !path->outstanding) return;
  path->sent = stamp;
  schedule(static_cast<std::uint32_t>(path - paths_.data()));
}

void EspProbe::on_send_error(std::uint64_t probe, RefusalReason reason, TimePoint now, EspProbeActions& out) {
  Path* const path = path_of_probe(probe);
  if (path == nullptr || !path->outstanding) return;
  const auto slot = static_cast<std::uint32_t>(path - paths_.data());
  report(slot, {.outcome = EspProbeOutcome::send_error, .reason = reason, .at = now, .from = {}}, out);
  settle(slot, /*told=*/true);
  schedule(slot);
}

void EspProbe::withdraw(std::uint64_t probe) {
  Path* const path = path_of_probe(probe);
  if (path == nullptr || !path->outstanding) return;
  const auto slot = static_cast<std::uint32_t>(path - paths_.data());
  path->silences = 0;
  settle(slot, /*told=*/true);
  path->next_regular = *path->last_send + regular_interval(*path);
  schedule(slot);
}

std::optional<std::uint32_t> EspProbe::slot_of(std::uint32_t sequence) const {
  const auto found = slot_by_sequence_.find(sequence);
  if (sequence == 0 || found == slot_by_sequence_.end()) return std::nullopt;
  return found->second;
}

void EspProbe::on_reply(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at,
                        EspProbeActions& out) {
  const auto echo = wire::parse_esp_echo(bytes);
  if (!echo) {
    ++counters_.malformed;
    return;
  }
  // Not by the sequence of the ESP header, which some answer with 0.
  const auto slot = slot_of(std::uint32_t{echo->id} << 16 | echo->number);
  if (!echo->reply || echo->layout != wire::EspEchoLayout::message) {
    ++counters_.foreign;
    return;
  }
  if (!slot) {
    ++counters_.unmatched;
    return;
  }
  Path& path = paths_[*slot];
  const auto wanted = bytes_of(path.nonce);
  if (path.to.address != from || !std::equal(echo->data.begin(), echo->data.end(), wanted.begin(), wanted.end())) {
    ++counters_.foreign;
    return;
  }
  report(*slot,
         {.outcome = EspProbeOutcome::answered,
          .rtt = std::max(received_at - path.sent, Duration::zero()),
          .at = received_at,
          .from = from},
         out);
  path.answers = true;
  path.silences = 0;
  settle(*slot, /*told=*/true);
  path.next_regular = std::min(path.next_regular, *path.last_send + regular_interval(path));
  schedule(*slot);
}

void EspProbe::on_icmp_error(const IcmpError& error, std::span<const std::uint8_t> quoted, EspProbeActions& out) {
  wire::ByteReader r(quoted);
  const std::uint32_t spi = r.u32();
  const std::uint32_t sequence = r.u32();
  if (r.failed()) {
    ++counters_.malformed;
    return;
  }
  const auto slot = slot_of(sequence);
  // Where the quote reaches the nonce, it must be ours; a quote of the 8 bytes that are promised is taken on its
  // sequence.
  r.skip(kDataSize);
  const std::uint64_t nonce = r.u64();
  const bool ours = spi == wire::kEspEchoRequest && slot && paths_[*slot].to.address == error.to &&
                    (r.failed() || nonce == paths_[*slot].nonce);
  if (!ours) {
    ++counters_.foreign;
    return;
  }
  Path& path = paths_[*slot];
  report(*slot,
         {.outcome = EspProbeOutcome::refused,
          .reason = error.reason,
          .icmp_type = error.type,
          .icmp_code = error.code,
          .by_peer = error.offender == path.to.address,
          .at = error.received_at,
          .from = error.offender},
         out);
  path.answers = true;
  path.silences = 0;
  settle(*slot, /*told=*/true);
  path.next_regular = std::min(path.next_regular, *path.last_send + regular_interval(path));
  schedule(*slot);
}

}  // namespace tunnelwatch::active
