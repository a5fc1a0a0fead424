#include "probes/active/ike_probe.h"

#include "probes/active/ike_request.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::active {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kHeldUp{1000};             // called later than this, silence proves nothing
constexpr milliseconds kFirstSpread{2000};        // first requests of all peers are spread over this
constexpr std::chrono::seconds kLateRefusal{10};  // our kernel gives up on a neighbour after 3 s
constexpr std::chrono::hours kDay{24};
constexpr std::uint8_t kWantedBySuspicion = 2;
constexpr std::array<std::uint16_t, 2> kPorts{500, 4500};
constexpr std::uint16_t kMarkerPort = 4500;

std::uint64_t port_key(std::uint32_t id, std::uint16_t port) { return std::uint64_t{id} << 16 | port; }

std::span<const IkeProbeKind> ladder_of(config::IkeVersion version) {
  using enum IkeProbeKind;
  static constexpr std::array kAny{version3, sa_init, main_mode};
  static constexpr std::array kV1{version3, main_mode};
  static constexpr std::array kV2{version3, sa_init};
  switch (version) {
    case config::IkeVersion::any:
      return kAny;
    case config::IkeVersion::v1:
      return kV1;
    case config::IkeVersion::v2:
      return kV2;
  }
  return kAny;
}

// Each ladder begins with version 3, which offers nothing.
std::span<const IkeProbeKind> ladder(config::IkeVersion version, bool offers_only) {
  return ladder_of(version).subspan(offers_only ? 1 : 0);
}

// What worked before is tried twice, then each kind in turn: a peer may change with its next update.
IkeProbeKind next_kind(std::span<const IkeProbeKind> kinds, std::optional<IkeProbeKind> known, std::size_t unanswered) {
  if (!known) return kinds[unanswered % kinds.size()];
  const auto at = std::find(kinds.begin(), kinds.end(), *known);
  if (at == kinds.end()) return kinds[unanswered % kinds.size()];
  const std::size_t further = unanswered < 2 ? 0 : unanswered - 1;
  return kinds[(static_cast<std::size_t>(at - kinds.begin()) + further) % kinds.size()];
}

std::uint8_t version_of(IkeProbeKind kind) {
  switch (kind) {
    case IkeProbeKind::version3:
      return 3;
    case IkeProbeKind::sa_init:
      return 2;
    case IkeProbeKind::main_mode:
      return 1;
  }
  return 2;
}

}  // namespace

IkeProbe::IkeProbe(std::uint64_t seed, const config::IkeProbe& settings) : settings_(settings), random_(seed) {
  settings_.interval = std::max(settings_.interval, kMinGap);
  settings_.timeout = std::max(settings_.timeout, milliseconds{1});
}

// Two at least, so that a suspicion gets its second request without waiting for an interval.
std::uint16_t IkeProbe::burst() const { return std::max<std::uint16_t>(settings_.burst, kWantedBySuspicion); }

Duration IkeProbe::spread(Duration over) {
  return Duration{static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(over.count()))};
}

void IkeProbe::add_target(std::uint32_t id, const IkeProbeTarget& target, TimePoint now) {
  for (const std::uint16_t port : kPorts) {
    const auto found = path_of_.find(port_key(id, port));
    if (found != path_of_.end()) {
      Path& path = paths_[found->second];
      if (path.address == target.address && path.source == target.source && path.version == target.version) continue;
      leave_path(found->second, id);
    }
    const std::uint32_t slot = path_for(target, port, now);
    path_of_[port_key(id, port)] = slot;
    paths_[slot].targets.push_back(id);
  }
}

void IkeProbe::remove_target(std::uint32_t id) {
  for (const std::uint16_t port : kPorts) {
    const auto found = path_of_.find(port_key(id, port));
    if (found == path_of_.end()) continue;
    const std::uint32_t slot = found->second;
    path_of_.erase(found);
    leave_path(slot, id);
  }
}

void IkeProbe::leave_path(std::uint32_t slot, std::uint32_t target) {
  Path& path = paths_[slot];
  path.targets.erase(std::remove(path.targets.begin(), path.targets.end(), target), path.targets.end());
  if (!path.targets.empty()) return;
  const auto [first, last] = slots_by_address_.equal_range(path.address);
  slots_by_address_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == slot; }));
  deadlines_.erase(slot);
  const IpAddress peer = path.address;
  path = {};
  free_slots_.push_back(slot);
  schedule_peer(peer);  // one of them may have waited for its answer
}

// The path that this target shares with others, or a new one.
std::uint32_t IkeProbe::path_for(const IkeProbeTarget& target, std::uint16_t port, TimePoint now) {
  const auto [first, last] = slots_by_address_.equal_range(target.address);
  for (auto it = first; it != last; ++it) {
    Path& path = paths_[it->second];
    if (path.port != port || path.source != target.source) continue;
    if (path.version != target.version) path.version = config::IkeVersion::any;
    path.offers_only = path.offers_only && target.offers_only;
    return it->second;
  }
  auto slot = static_cast<std::uint32_t>(paths_.size());
  if (free_slots_.empty()) {
    paths_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Path& path = paths_[slot];
  path.address = target.address;
  path.source = target.source;
  path.port = port;
  path.version = target.version;
  path.offers_only = target.offers_only;
  path.next_regular = now + spread(std::min<Duration>(settings_.interval, kFirstSpread));
  path.bucket_full_at = now;
  slots_by_address_.emplace(target.address, slot);
  schedule(slot);
  return slot;
}

void IkeProbe::probe_now(std::uint32_t id) {
  for (const std::uint16_t port : kPorts) {
    const auto found = path_of_.find(port_key(id, port));
    if (found == path_of_.end()) continue;
    Path& path = paths_[found->second];
    path.wanted = std::max(path.wanted, kWantedBySuspicion);
    schedule(found->second);
  }
}

TimePoint IkeProbe::within_budget(const Path& path, TimePoint at) const {
  return path.sent_today < settings_.daily_limit ? at : std::max(at, path.day_began + kDay);
}

TimePoint IkeProbe::earliest_regular(const Path& path) const {
  return within_budget(path,
                       path.last_send ? std::max(path.next_regular, *path.last_send + kMinGap) : path.next_regular);
}

TimePoint IkeProbe::earliest_extra(const Path& path) const {
  const TimePoint token = path.bucket_full_at - settings_.interval * (burst() - 1);
  return within_budget(path, path.last_send ? std::max(token, *path.last_send + kMinGap) : token);
}

bool IkeProbe::is_due(const Path& path, TimePoint now) const {
  if (path.turn > now) return false;
  return earliest_regular(path) <= now || (path.wanted > 0 && earliest_extra(path) <= now);
}

IkeProbe::Path* IkeProbe::outstanding_to(const IpAddress& address) {
  const auto [first, last] = slots_by_address_.equal_range(address);
  const auto it = std::find_if(first, last, [&](const auto& entry) { return paths_[entry.second].outstanding; });
  return it == last ? nullptr : &paths_[it->second];
}

void IkeProbe::schedule(std::uint32_t slot) {
  const Path& path = paths_[slot];
  TimePoint at = earliest_regular(path);
  if (path.wanted > 0) at = std::min(at, earliest_extra(path));
  at = std::max(at, path.turn);
  if (const Path* busy = outstanding_to(path.address); busy != nullptr) {
    const TimePoint silent_at = busy->request.sent + settings_.timeout;
    at = busy == &path ? silent_at : std::max(at, silent_at);
  }
  deadlines_.set(slot, at);
}

void IkeProbe::schedule_peer(const IpAddress& address) {
  const auto [first, last] = slots_by_address_.equal_range(address);
  for (auto it = first; it != last; ++it) schedule(it->second);
}

std::optional<TimePoint> IkeProbe::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.top().at;
}

void IkeProbe::advance(TimePoint now, IkeProbeActions& out) {
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const IpAddress peer = paths_[deadlines_.top().slot].address;
    wake_peer(peer, now, out);
    schedule_peer(peer);
  }
}

void IkeProbe::wake_peer(const IpAddress& address, TimePoint now, IkeProbeActions& out) {
  if (Path* busy = outstanding_to(address); busy != nullptr) {
    const TimePoint deadline = busy->request.sent + settings_.timeout;
    if (deadline > now) return;
    if (now - deadline > kHeldUp) {
      settle(*busy, now);
      ++counters_.abandoned;
    } else {
      conclude_silent(*busy, now, out);
    }
  }
  Path* next = whose_turn(address, now);
  if (next == nullptr) return;
  // A regular request that serves a wish costs a token as well, else lasting suspicion would double the rate.
  if (next->wanted > 0) {
    const TimePoint empty = now + settings_.interval * burst();
    next->bucket_full_at = std::min(std::max(next->bucket_full_at, now) + settings_.interval, empty);
  }
  send(*next, now, out);
}

// Of a peer's ports that are due, the one that was asked longest ago; null: none is.
IkeProbe::Path* IkeProbe::whose_turn(const IpAddress& address, TimePoint now) {
  Path* turn = nullptr;
  const auto [first, last] = slots_by_address_.equal_range(address);
  for (auto it = first; it != last; ++it) {
    Path& path = paths_[it->second];
    const TimePoint regular = std::max(earliest_regular(path), path.turn);
    if (regular <= now && now - regular > kHeldUp) {  // the agent was held up: no storm of all peers at once
      path.next_regular = now + Duration{1} + spread(std::min<Duration>(settings_.interval, kFirstSpread));
    }
    if (is_due(path, now) && (turn == nullptr || path.last_send < turn->last_send)) turn = &path;
  }
  return turn;
}

// Nothing is waited for any more, and whoever waited for that is not late.
void IkeProbe::settle(Path& path, TimePoint now) {
  path.outstanding = false;
  const auto [first, last] = slots_by_address_.equal_range(path.address);
  for (auto it = first; it != last; ++it) {
    if (Path& other = paths_[it->second]; &other != &path) other.turn = now;
  }
}

Duration IkeProbe::regular_interval(const Path& path) {
  Duration interval = settings_.interval;
  const std::size_t rungs = ladder(path.version, path.offers_only).size();
  if (!path.known && path.ladder_tried) {
    for (std::size_t i = rungs; i < path.unanswered && interval < kMaxBackoff; ++i) interval *= 2;
    interval = std::min<Duration>(interval, std::max<Duration>(kMaxBackoff, settings_.interval));
  }
  return interval * 9 / 10 + spread(interval / 5);
}

void IkeProbe::send(Path& path, TimePoint now, IkeProbeActions& out) {
  const auto slot = static_cast<std::uint32_t>(&path - paths_.data());
  if (path.wanted > 0) --path.wanted;
  path.previous = path.request;
  path.request = {.spi = new_spi(slot),
                  .kind = next_kind(ladder(path.version, path.offers_only), path.known, path.unanswered),
                  .sent = now};
  path.outstanding = true;
  path.last_send = now;
  if (path.sent_today == 0 || now - path.day_began >= kDay) {
    path.day_began = now;
    path.sent_today = 0;
  }
  ++path.sent_today;
  path.next_regular = now + regular_interval(path);
  out.packets.push_back({path.request.spi, path.address, path.port, path.source, path.request.kind,
                         ike_request(path.request.kind, path.request.spi, path.port == kMarkerPort, random_)});
}

void IkeProbe::conclude_silent(Path& path, TimePoint now, IkeProbeActions& out) {
  settle(path, now);
  path.request.silent = true;
  ++path.unanswered;
  if (!path.known && !path.ladder_tried) {
    if (path.unanswered < ladder(path.version, path.offers_only).size()) {  // not silence yet: the next kind may do
      path.wanted = std::max<std::uint8_t>(path.wanted, 1);
      return;
    }
    path.ladder_tried = true;
  }
  path.next_regular = *path.last_send + regular_interval(path);
  report(path, {.outcome = IkeProbeOutcome::silent, .at = now, .from = {}}, path.request, out);
}

void IkeProbe::report(const Path& path, IkeProbeObservation o, const Request& request, IkeProbeActions& out) {
  o.port = path.port;
  o.sent_version = version_of(request.kind);
  o.sent = request.sent;
  for (const std::uint32_t target : path.targets) {
    o.target = target;
    out.observations.push_back(o);
  }
}

std::uint64_t IkeProbe::new_spi(std::uint32_t slot) {
  std::uint64_t spi = random_.next();
  while (spi == 0 || recent_.count(spi) != 0) spi = random_.next();
  recent_.emplace(spi, slot);
  recent_order_.push_back(spi);
  if (recent_order_.size() > kRememberedSpis) {
    recent_.erase(recent_order_.front());
    recent_order_.pop_front();
  }
  return spi;
}

void IkeProbe::on_sent(std::uint64_t probe, TimePoint stamp) {
  const auto found = recent_.find(probe);
  if (found == recent_.end()) return;
  Path& path = paths_[found->second];
  if (!path.outstanding || path.request.spi != probe) return;
  path.request.sent = stamp;
  schedule_peer(path.address);
}

void IkeProbe::on_send_error(std::uint64_t probe, RefusalReason reason, TimePoint now, IkeProbeActions& out) {
  const auto found = recent_.find(probe);
  if (found == recent_.end()) return;
  Path& path = paths_[found->second];
  if (!path.outstanding || path.request.spi != probe) return;
  settle(path, now);
  report(path, {.outcome = IkeProbeOutcome::send_error, .reason = reason, .at = now, .from = {}}, path.request, out);
  path.request.spi = 0;
  schedule_peer(path.address);
}

void IkeProbe::on_datagram(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint16_t from_port,
                           TimePoint received_at, IkeProbeActions& out) {
  if (from_port == kMarkerPort) {
    const bool marked =
        bytes.size() > 4 && std::all_of(bytes.begin(), bytes.begin() + 4, [](auto b) { return b == 0; });
    if (!marked) {  // ESP in UDP, a keepalive, or nothing we know
      ++counters_.foreign;
      return;
    }
    bytes = bytes.subspan(4);
  }
  const std::optional<IkeAnswer> answer = read_ike_answer(bytes);
  if (!answer) {
    ++counters_.malformed;
  } else if (answer->reflected || !is_own_spi(answer->initiator_spi)) {
    ++counters_.foreign;
  } else {
    on_answer(*answer, from, from_port, received_at, out);
  }
}

void IkeProbe::on_answer(const IkeAnswer& answer, const IpAddress& from, std::uint16_t from_port, TimePoint received_at,
                         IkeProbeActions& out) {
  const std::uint32_t slot = recent_.find(answer.initiator_spi)->second;
  Path& path = paths_[slot];
  const bool newest = path.request.spi == answer.initiator_spi;
  Request& request = newest ? path.request : path.previous;
  if (path.port == 0 || request.spi != answer.initiator_spi) {
    ++counters_.unmatched;
    return;
  }
  if (path.address != from || path.port != from_port) {
    ++counters_.foreign;
    return;
  }
  report(path,
         {.outcome = IkeProbeOutcome::answered,
          .answer_version = answer.version,
          .answer_notify = answer.notify,
          .full_answer = answer.has_sa,
          .rtt = std::max(received_at - request.sent, Duration::zero()),
          .at = received_at,
          .from = from},
         request, out);
  path.known = request.kind;
  path.unanswered = 0;
  path.ladder_tried = false;
  path.wanted = 0;
  if (newest && path.outstanding) settle(path, received_at);
  request.spi = 0;
  request.silent = false;
  path.next_regular = std::min(path.next_regular, *path.last_send + regular_interval(path));
  schedule_peer(path.address);
}

void IkeProbe::on_icmp_error(const IpAddress& to, std::uint16_t port, RefusalReason reason, const IpAddress& offender,
                             TimePoint received_at, IkeProbeActions& out) {
  const auto [first, last] = slots_by_address_.equal_range(to);
  for (auto it = first; it != last; ++it) {
    Path& path = paths_[it->second];
    const bool late = path.request.silent && received_at - path.request.sent < kLateRefusal;
    if (path.port != port || !(path.outstanding || late)) continue;
    report(path, {.outcome = IkeProbeOutcome::refused, .reason = reason, .at = received_at, .from = offender},
           path.request, out);
    // Who waited for it asks a moment later: at once it would set a neighbour that the kernel has just given up to
    // "resolving" again, before anybody sees that it failed.
    const bool gave_up = reason == RefusalReason::host_unreachable;
    if (path.outstanding) settle(path, gave_up ? received_at + kMinGap : received_at);
    path.request.silent = false;
    path.request.spi = 0;
  }
  schedule_peer(to);
}

std::optional<IkeProbeKind> IkeProbe::known_kind(std::uint32_t id, std::uint16_t port) const {
  const auto found = path_of_.find(port_key(id, port));
  return found == path_of_.end() ? std::nullopt : paths_[found->second].known;
}

}  // namespace tunnelwatch::active
