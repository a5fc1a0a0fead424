#include "agent/probe_driver.h"

#include "agent/log.h"
#include "probes/io/local_addresses.h"
#include "probes/wire/ike_names.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

TimePoint steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
constexpr std::size_t index(IpFamily family) { return static_cast<std::size_t>(family); }

// Windows without news are looked at this often all the same: loss leaves them by age.
constexpr Duration kFullFeed = 2s;
// Suspicion lasts: the machine itself keeps to its rate.
constexpr Duration kPushEvery = 1s;
// Names are looked up again this often, sooner where the last look-up failed.
constexpr Duration kResolveEvery = 60s;
constexpr Duration kResolveAgain = 10s;

std::string answer_of(const IkeProbeObservation& o) {
  if (o.full_answer) return fmt::format("IKEv{} accepts", o.answer_version);
  if (o.answer_notify == 0) return fmt::format("IKEv{}", o.answer_version);
  return fmt::format(
      "IKEv{} {}", o.answer_version,
      o.answer_version == 1 ? wire::notify_name_v1(o.answer_notify) : wire::notify_name_v2(o.answer_notify));
}

}  // namespace

namespace {

// The address that probes of a tunnel leave from: the one that is configured, or that of the configured interface.
std::optional<IpAddress> source_of(const config::Tunnel& tunnel, const std::optional<IpAddress>& remote) {
  if (tunnel.local || tunnel.local_interface.empty() || !remote) return tunnel.local;
  for (const IpAddress& a : io::addresses_of(tunnel.local_interface)) {
    if (a.family() == remote->family()) return a;
  }
  return std::nullopt;
}

// The address that pings through a tunnel leave from: one of this machine's in the subnets that the tunnel carries, for
// a policy would leave any other outside. Nothing: the route's.
std::optional<IpAddress> inner_source(const config::Tunnel& tunnel, IpFamily family,
                                      const std::vector<IpAddress>& own_addresses) {
  for (const IpAddress& a : own_addresses) {
    const auto holds = [&](const IpPrefix& p) { return p.contains(a); };
    if (a.family() == family && std::any_of(tunnel.local_subnets.begin(), tunnel.local_subnets.end(), holds)) return a;
  }
  return std::nullopt;
}

}  // namespace

struct ProbeDriver::Timer {
  explicit Timer(boost::asio::io_context& io) : timer(io) {}
  boost::asio::steady_timer timer;
};

ProbeDriver::ProbeDriver(boost::asio::io_context& io, Watch& watch, const config::Settings& settings,
                         std::uint64_t seed)
    : io_(io),
      watch_(watch),
      settings_(settings),
      seed_(seed ^ 0x9e3779b97f4a7c15U),
      echo_(seed),
      ike_(seed_, settings.probes.ike),
      resolver_(io),
      timer_(std::make_unique<Timer>(io)) {}

ProbeDriver::~ProbeDriver() = default;

std::string_view ProbeDriver::to_string(Role role) {
  switch (role) {
    case Role::gateway:
      return "gateway";
    case Role::reference:
      return "reference";
    case Role::inner:
      return "inner";
  }
  return "reference";
}

void ProbeDriver::open_icmp(IpFamily family) {
  auto socket = io::IcmpSocket::open(io_, family, echo_.id(), [this](const io::ReceivedIcmp& r) {
    echo_.on_message(r.bytes, r.from, r.ttl, r.received_at, echo_actions_);
    observe_echoes();
  });
  if (socket) {
    icmp_[index(family)] = std::move(*socket);
  } else {
    complaints_.push_back(socket.error().sentence);
  }
}

void ProbeDriver::open_udp(IpFamily family) {
  for (const std::size_t port : {std::size_t{0}, std::size_t{1}}) {
    io::UdpSocket::Handlers handlers;
    handlers.on_datagram = [this](const io::ReceivedUdp& r) {
      ike_.on_datagram(r.bytes, r.from, r.from_port, r.received_at, ike_actions_);
      observe_ike();
    };
    handlers.on_error = [this](const io::UdpError& e) {
      ike_.on_icmp_error(e.to, e.port, e.reason, e.offender, e.received_at, ike_actions_);
      observe_ike();
    };
    auto socket = io::UdpSocket::open(io_, family, std::nullopt, std::move(handlers));
    if (socket) {
      udp_[index(family)][port] = std::move(*socket);
    } else {
      complaints_.push_back(socket.error().sentence);
    }
  }
}

void ProbeDriver::start() {
  started_ = true;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    open_icmp(family);
    if (settings_.probes.ike.enabled) open_udp(family);
  }
  for (const auto& c : complaints_) log::warning("probe_unavailable", "reason=" + log::quoted(c));
  drive();
}

void ProbeDriver::stop() {
  stopped_ = true;
  timer_->timer.cancel();
  for (auto& s : icmp_) s.reset();
  for (auto& family : udp_) {
    for (auto& s : family) s.reset();
  }
}

void ProbeDriver::want_target(const TargetKey& key, const config::Host& host, const std::optional<IpAddress>& address,
                              const std::optional<IpAddress>& source) {
  const auto [it, is_new] = targets_.try_emplace(key);
  Target& t = it->second;
  t.wanted = true;
  if (is_new) {
    t.id = next_id_++;
    t.statistics = active::EchoStatistics(settings_.loss.window);
    target_by_id_[t.id] = &*it;
  }
  t.is_name = !host.address;
  const auto wanted_address = address ? address : t.is_name ? t.address : host.address;
  const std::optional<IpAddress> usable_source =
      source && wanted_address && source->family() == wanted_address->family() ? source : std::nullopt;
  if (wanted_address &&
      (is_new || wanted_address != t.address || usable_source != t.source || !echo_.has_target(t.id))) {
    auto params = active::EchoParams::from(settings_.probes.icmp);
    params.source = usable_source;
    echo_.add_target(t.id, *wanted_address, params, steady_now());
  }
  t.address = wanted_address;
  t.source = usable_source;
}

void ProbeDriver::want_probe(const Tunnel& tunnel) {
  if (!settings_.probes.ike.enabled || !tunnel.remote()) return;
  const auto [it, is_new] = probed_.try_emplace(tunnel.name());
  ProbedTunnel& p = it->second;
  p.wanted = true;
  if (is_new) {
    p.id = next_id_++;
    p.port_500.rtt_counts.resize(active::rtt_bounds().size() + 1);
    p.port_4500.rtt_counts.resize(active::rtt_bounds().size() + 1);
    probed_by_id_[p.id] = &*it;
  }
  if (p.address == tunnel.remote() && !is_new) return;
  p.address = tunnel.remote();
  active::IkeProbeTarget target{*tunnel.remote(), std::nullopt, tunnel.settings().version};
  const auto local = source_of(tunnel.settings(), tunnel.remote());
  if (local && local->family() == target.address.family()) target.source = local;
  ike_.add_target(p.id, target, steady_now());
}

void ProbeDriver::forget_unwanted() {
  for (auto it = targets_.begin(); it != targets_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    echo_.remove_target(it->second.id);
    target_by_id_.erase(it->second.id);
    it = targets_.erase(it);
  }
  for (auto it = probed_.begin(); it != probed_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    ike_.remove_target(it->second.id);
    probed_by_id_.erase(it->second.id);
    it = probed_.erase(it);
  }
}

void ProbeDriver::sync(const config::Settings& settings) {
  const bool probes_changed = !(settings.probes == settings_.probes);
  if (!(settings.probes.ike == settings_.probes.ike)) {
    ike_ = active::IkeProbe(++seed_, settings.probes.ike);
    for (auto& [name, p] : probed_) p.address.reset();  // asked anew below
  }
  settings_ = settings;
  if (started_) {
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      if (settings_.probes.ike.enabled && !udp_[index(family)][0]) open_udp(family);
    }
  }
  for (auto& [key, t] : targets_) {
    t.wanted = false;
    if (probes_changed) echo_.remove_target(t.id);  // comes back below with the new parameters
  }
  for (auto& [name, p] : probed_) p.wanted = false;
  const auto own_addresses = io::local_addresses();
  for (const auto& host : settings_.references)
    want_target({"", Role::reference, host.name}, host, std::nullopt, std::nullopt);
  for (const auto& tunnel : watch_.tunnels()) {
    const auto& s = tunnel->settings();
    want_target({s.name, Role::gateway, s.remote.name}, s.remote, tunnel->remote(), source_of(s, tunnel->remote()));
    for (const auto& host : tunnel->pinged_inside()) {
      const TargetKey key{s.name, Role::inner, host.name};
      const auto known = targets_.find(key);
      const auto address = host.address || known == targets_.end() ? host.address : known->second.address;
      const auto family = address ? address->family() : IpFamily::v4;
      const bool is_peer =
          host.address && host.address == s.remote_tunnel_address && s.local_tunnel_address &&
          std::find(own_addresses.begin(), own_addresses.end(), *s.local_tunnel_address) != own_addresses.end();
      want_target(key, host, std::nullopt, is_peer ? s.local_tunnel_address : inner_source(s, family, own_addresses));
    }
    want_probe(*tunnel);
  }
  forget_unwanted();
  arm();
}

void ProbeDriver::resolve(const TargetKey& key, Target& target, TimePoint now) {
  const Duration every = target.address ? kResolveEvery : kResolveAgain;
  if (!target.is_name || target.resolving || (target.resolved_at != TimePoint{} && now - target.resolved_at < every))
    return;
  target.resolving = true;
  resolver_.resolve(key.target, [this, key](const io::Resolution& r) {
    const auto it = targets_.find(key);
    if (it == targets_.end()) return;
    Target& t = it->second;
    t.resolving = false;
    t.resolved_at = steady_now();
    if (r.addresses.empty()) {
      log::warning("name_unresolved", fmt::format("name={} reason={}", log::quoted(key.target), log::quoted(r.error)));
      return;  // the address of before stays
    }
    if (t.address && std::find(r.addresses.begin(), r.addresses.end(), *t.address) != r.addresses.end()) return;
    log::info("name_resolved",
              fmt::format("name={} address={}", log::quoted(key.target), r.addresses.front().to_string()));
    t.address = r.addresses.front();
    auto params = active::EchoParams::from(settings_.probes.icmp);
    if (t.source && t.source->family() == t.address->family()) params.source = t.source;
    echo_.add_target(t.id, *t.address, params, steady_now());
    if (key.role == Role::gateway) {
      if (Tunnel* tunnel = watch_.find(key.tunnel); tunnel != nullptr) {
        watch_.set_remote(*tunnel, *t.address);
        want_probe(*tunnel);
      }
    }
    arm();
  });
}

void ProbeDriver::drain() {
  for (auto& socket : icmp_) {
    if (socket) socket->drain();
  }
  for (auto& family : udp_) {
    for (auto& socket : family) {
      if (socket) socket->drain();
    }
  }
}

void ProbeDriver::send_echoes() {
  if (echo_actions_.packets.empty()) return;
  for (const auto& packet : echo_actions_.packets) {
    if (const auto it = target_by_id_.find(packet.target); it != target_by_id_.end())
      it->second->second.statistics.on_request();
  }
  const auto now = steady_now();
  active::EchoActions errors;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    if (auto& socket = icmp_[index(family)]; socket) {
      sent_.clear();
      socket->send(echo_actions_, sent_);
      for (const auto& s : sent_) {
        if (s.error == RefusalReason::none) {
          echo_.on_sent(s.target, s.sequence, s.at);
        } else {
          echo_.on_send_error(s.target, s.sequence, s.error, now, errors);
        }
      }
    } else {
      for (const auto& p : echo_actions_.packets) {
        if (p.to.family() == family)
          echo_.on_send_error(p.target, p.sequence, RefusalReason::not_permitted, now, errors);
      }
    }
  }
  echo_actions_.packets.clear();
  echo_actions_.bytes.clear();
  echo_actions_.observations.insert(echo_actions_.observations.end(), errors.observations.begin(),
                                    errors.observations.end());
}

void ProbeDriver::send_ike() {
  auto packets = std::move(ike_actions_.packets);
  ike_actions_.packets.clear();
  for (const auto& p : packets) {
    auto& socket = udp_[index(p.to.family())][p.port == 4500 ? 1 : 0];
    if (!socket) {
      ike_.on_send_error(p.probe, RefusalReason::not_permitted, steady_now(), ike_actions_);
      continue;
    }
    const auto sent = socket->send(p.bytes, p.to, p.port, p.source);
    if (sent.error == RefusalReason::none) {
      ike_.on_sent(p.probe, sent.at);
    } else {
      ike_.on_send_error(p.probe, sent.error, sent.at, ike_actions_);
    }
  }
}

void ProbeDriver::observe_echoes() {
  for (const auto& o : echo_actions_.observations) {
    const auto it = target_by_id_.find(o.target);
    if (it == target_by_id_.end()) continue;
    Target& t = it->second->second;
    t.statistics.on_observation(o);
    if (o.outcome != EchoOutcome::duplicate) t.changed = true;
  }
  echo_actions_.observations.clear();
}

void ProbeDriver::on_ike_result(const IkeProbeObservation& o) {
  const auto it = probed_by_id_.find(o.target);
  if (it == probed_by_id_.end()) return;
  ProbePort& port = o.port == 4500 ? it->second->second.port_4500 : it->second->second.port_500;
  ++port.outcomes[static_cast<std::size_t>(o.outcome)];
  if (o.reason != RefusalReason::none) ++port.refused[static_cast<std::size_t>(o.reason)];
  if (o.outcome == IkeProbeOutcome::answered) {
    const auto& bounds = active::rtt_bounds();
    const double rtt = to_seconds(o.rtt);
    ++port.rtt_counts[static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), rtt) - bounds.begin())];
    port.rtt_sum += rtt;
    port.last_answer = answer_of(o);
  }
  if (o.outcome != IkeProbeOutcome::send_error) port.reachable = o.outcome == IkeProbeOutcome::answered;
  if (Tunnel* tunnel = watch_.find(it->second->first); tunnel != nullptr) tunnel->evidence().on_ike_probe(o);
}

void ProbeDriver::observe_ike() {
  if (ike_actions_.observations.empty()) return;
  for (const auto& o : ike_actions_.observations) on_ike_result(o);
  ike_actions_.observations.clear();
  watch_.settle(steady_now());
}

void ProbeDriver::drive() {
  if (stopped_) return;
  drain();  // a reply that waits in a socket must not be told as lost
  const auto now = steady_now();
  echo_.advance(now, echo_actions_);
  send_echoes();
  observe_echoes();
  ike_.advance(now, ike_actions_);
  send_ike();
  observe_ike();
  arm();
}

void ProbeDriver::arm() {
  if (stopped_) return;
  std::optional<TimePoint> next = echo_.next_deadline();
  if (const auto ike = ike_.next_deadline(); ike && (!next || *ike < *next)) next = ike;
  if (!next) return;
  timer_->timer.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
  timer_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) drive();
  });
}

void ProbeDriver::feed_windows(TimePoint now) {
  const bool all = now >= next_full_feed_;
  if (all) next_full_feed_ = now + kFullFeed;
  std::vector<std::pair<const TargetKey*, active::EchoWindow>> references;
  bool references_changed = all;
  for (auto& [key, t] : targets_) {
    if (key.role != Role::reference) continue;
    references_changed = references_changed || t.changed;
    t.changed = false;
  }
  if (references_changed) {
    for (auto& [key, t] : targets_) {
      if (key.role == Role::reference) references.emplace_back(&key, t.statistics.window(now));
    }
  }
  for (const auto& tunnel : watch_.tunnels()) {
    for (std::size_t i = 0; i < references.size(); ++i) {
      tunnel->evidence().on_reference_echo(references[i].first->target, references[i].second, now, i == 0,
                                           i + 1 == references.size());
    }
    const auto& s = tunnel->settings();
    if (const auto it = targets_.find({s.name, Role::gateway, s.remote.name});
        it != targets_.end() && (all || it->second.changed)) {
      it->second.changed = false;
      tunnel->evidence().on_gateway_echo(it->first.target, it->second.statistics.window(now), now);
    }
    bool inner_changed = all;
    const auto& inner_hosts = tunnel->pinged_inside();
    for (const auto& host : inner_hosts) {
      const auto it = targets_.find({s.name, Role::inner, host.name});
      if (it != targets_.end()) inner_changed = inner_changed || std::exchange(it->second.changed, false);
    }
    for (std::size_t i = 0; inner_changed && i < inner_hosts.size(); ++i) {
      const auto it = targets_.find({s.name, Role::inner, inner_hosts[i].name});
      if (it == targets_.end()) continue;
      const auto window = it->second.statistics.window(now);
      tunnel->evidence().on_inner_echo(it->first.target, window, now, i == 0, i + 1 == inner_hosts.size());
      const bool fits = s.local_subnets.empty() || it->second.source;
      tunnel->traffic().on_inner_echo({it->first.target, it->second.address, fits}, window, now,
                                      i + 1 == inner_hosts.size());
    }
  }
}

void ProbeDriver::tick(TimePoint now) {
  feed_windows(now);
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->wants_probe()) continue;
    const auto it = probed_.find(tunnel->name());
    if (it == probed_.end() || (it->second.pushed && now - *it->second.pushed < kPushEvery)) continue;
    it->second.pushed = now;
    ike_.probe_now(it->second.id);
  }
  for (auto& [key, target] : targets_) resolve(key, target, now);
  arm();
}

std::vector<std::pair<std::string, bool>> ProbeDriver::sources() const {
  std::vector<std::pair<std::string, bool>> list;
  const auto add = [&](IpFamily family, std::string_view suffix) {
    const auto is_of = [&](const std::optional<IpAddress>& a) { return a && a->family() == family; };
    const bool pinged =
        std::any_of(targets_.begin(), targets_.end(), [&](const auto& t) { return is_of(t.second.address); });
    const bool probed =
        std::any_of(probed_.begin(), probed_.end(), [&](const auto& p) { return is_of(p.second.address); });
    const auto& udp = udp_[index(family)];
    if (pinged) list.emplace_back(fmt::format("icmp{}", suffix), icmp_[index(family)] != nullptr);
    if (probed) list.emplace_back(fmt::format("ike_probe{}", suffix), udp[0] != nullptr && udp[1] != nullptr);
  };
  add(IpFamily::v4, "_v4");
  add(IpFamily::v6, "_v6");
  return list;
}

void ProbeDriver::report(exporters::Report& report, const WallClock& clock) const {
  for (const auto& [key, t] : targets_) {
    const auto& totals = t.statistics.totals();
    exporters::EchoReport e;
    e.tunnel = key.tunnel;
    e.target = key.target;
    e.role = to_string(key.role);
    if (t.address) e.address = t.address->to_string();
    e.requests = totals.requests;
    e.replies = totals.replies;
    e.lost = totals.lost;
    e.late = totals.late;
    e.duplicates = totals.duplicates;
    for (std::size_t i = 1; i < kRefusalReasonCount; ++i) {
      if (totals.refused[i] != 0)
        e.refused.emplace_back(tunnelwatch::to_string(static_cast<RefusalReason>(i)), totals.refused[i]);
    }
    e.rtt.bounds = &active::rtt_bounds();
    e.rtt.counts.assign(totals.rtt_counts.begin(), totals.rtt_counts.end());
    e.rtt.sum = totals.rtt_seconds_sum;
    const auto last = t.statistics.last_reply();
    if (last) e.last_reply = clock.at(*last);
    report.echo.push_back(std::move(e));
  }
  for (const auto& [name, p] : probed_) {
    for (const auto* port : {&p.port_500, &p.port_4500}) {
      exporters::IkeProbeReport r;
      r.tunnel = name;
      r.port = port == &p.port_500 ? 500 : 4500;
      for (std::size_t i = 0; i < kIkeProbeOutcomeCount; ++i) {
        r.outcomes.emplace_back(tunnelwatch::to_string(static_cast<IkeProbeOutcome>(i)), port->outcomes[i]);
      }
      for (std::size_t i = 1; i < kRefusalReasonCount; ++i) {
        if (port->refused[i] != 0)
          r.refused.emplace_back(tunnelwatch::to_string(static_cast<RefusalReason>(i)), port->refused[i]);
      }
      r.rtt.bounds = &active::rtt_bounds();
      r.rtt.counts = port->rtt_counts;
      r.rtt.sum = port->rtt_sum;
      r.reachable = port->reachable;
      r.last_answer = port->last_answer;
      report.ike_probes.push_back(std::move(r));
    }
  }
}

}  // namespace tunnelwatch::agent
