#include "agent/probe_driver.h"

#include "agent/log.h"
#include "agent/probing/probe_source.h"
#include "config/echo_plan.h"
#include "probes/clock.h"
#include "probes/io/local_addresses.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tunnelwatch::agent {

struct ProbeDriver::Timer {
  explicit Timer(boost::asio::io_context& io) : timer(io) {}
  boost::asio::steady_timer timer;
};

ProbeDriver::ProbeDriver(boost::asio::io_context& io, Watch& watch, const config::Settings& settings,
                         std::uint64_t seed)
    : watch_(watch),
      settings_(settings),
      echo_(seed),
      ike_(io, watch, seed ^ 0x9e3779b97f4a7c15U, settings.probes.ike),
      esp_(io, watch, seed ^ 0xc2b2ae3d27d4eb4fU, settings.probes.esp),
      responder_(io),
      resolver_(io),
      timer_(std::make_unique<Timer>(io)) {}

ProbeDriver::~ProbeDriver() = default;

void ProbeDriver::open_ike(IpFamily family) {
  for (auto& complaint : ike_.open(family)) complaints_.push_back(std::move(complaint));
}

void ProbeDriver::open_esp(IpFamily family) {
  if (auto complaint = esp_.open(family)) complaints_.push_back(std::move(*complaint));
}

void ProbeDriver::start() {
  started_ = true;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    if (auto complaint = echo_.open(family)) complaints_.push_back(std::move(*complaint));
    if (settings_.probes.ike.enabled) open_ike(family);
    if (settings_.probes.esp.enabled) open_esp(family);
  }
  for (const auto& c : complaints_) log::warning("probe_unavailable", "reason=" + log::quoted(c));
  complain_about_marks();
  sync_responder();
  drive();
}

void ProbeDriver::stop() {
  stopped_ = true;
  timer_->timer.cancel();
  echo_.close();
  ike_.close();
  esp_.close();
  responder_.close();
}

std::optional<IpAddress> ProbeDriver::address_of(const config::Host& host) const {
  return host.address ? host.address : names_.address_of(host.name);
}

void ProbeDriver::sync_names() {
  const auto want = [this](const config::Host& host) {
    if (!host.address) names_.want(host.name);
  };
  names_.begin_sync();
  for (const auto& host : settings_.references) want(host);
  for (const auto& target : settings_.targets) want(target.host);
  for (const auto& tunnel : watch_.tunnels()) {
    want(tunnel->settings().remote);
    for (const auto& host : tunnel->pinged_inside()) want(host);
  }
  names_.end_sync();
}

void ProbeDriver::want_host(const TargetKey& key, const std::optional<IpAddress>& address,
                            const std::optional<IpAddress>& source) {
  EchoWish wish{address, params_of(config::plan_of(settings_.probes.icmp), address), {}};
  if (source && address && source->family() == address->family()) wish.params.source = source;
  echo_.want(key, wish, settings_.loss.window);
}

void ProbeDriver::want_target(const config::Target& target) {
  const auto plan = config::plan_of(settings_, target);
  // A source of one family leaves no choice.
  const auto family = plan.family != config::AddressFamily::any || !plan.source ? plan.family
                      : plan.source->is_v4()                                    ? config::AddressFamily::v4
                                                                                : config::AddressFamily::v6;
  const auto address = target.host.address ? target.host.address : names_.address_of(target.host.name, family);
  // Nobody draws conclusions from it, so that no window is kept.
  echo_.want({"", TargetRole::target, target.label()},
             {address, params_of(plan, address, index_of(plan.interface)), plan.labels}, std::chrono::seconds::zero());
}

std::uint32_t ProbeDriver::index_of(const std::string& interface) {
  // One that is not there gets an index that none has: the kernel refuses, and that is counted.
  constexpr std::uint32_t kNowhere = 0x7fffffff;
  if (interface.empty()) return 0;
  const auto [it, is_new] = interface_indexes_.try_emplace(interface, kNowhere);
  if (is_new) it->second = io::interface_index(interface).value_or(kNowhere);
  return it->second;
}

void ProbeDriver::complain_about_marks() {
  if (marks_told_ || !echo_.lacks_mark()) return;
  marks_told_ = true;
  complaints_.emplace_back(
      "cannot send pings with a firewall mark: CAP_NET_ADMIN is missing; targets with fwmark are not probed");
  log::warning("probe_unavailable", "reason=" + log::quoted(complaints_.back()));
}

void ProbeDriver::want_inner(const Tunnel& tunnel, const std::vector<IpAddress>& own_addresses) {
  const auto& s = tunnel.settings();
  for (const auto& host : tunnel.pinged_inside()) {
    const auto address = address_of(host);
    const auto family = address ? address->family() : IpFamily::v4;
    const bool is_peer =
        host.address && host.address == s.remote_tunnel_address && s.local_tunnel_address &&
        std::find(own_addresses.begin(), own_addresses.end(), *s.local_tunnel_address) != own_addresses.end();
    want_host({s.name, TargetRole::inner, host.name}, address,
              is_peer ? s.local_tunnel_address : inner_source(s, family, own_addresses));
  }
}

// By name, for a stranger's tunnel goes when a configured one takes its address.
void ProbeDriver::sync_remotes() {
  for (const auto& settings : settings_.tunnels) {
    Tunnel* tunnel = settings.remote.address ? nullptr : watch_.find(settings.name);
    const auto named = names_.address_of(settings.remote.name);
    if (tunnel != nullptr && named && named != tunnel->remote()) watch_.set_remote(*tunnel, *named, steady_now());
  }
}

void ProbeDriver::sync_targets() {
  const auto own_addresses = io::local_addresses();
  interface_indexes_.clear();
  echo_.begin_sync(settings_.probes.icmp.rtt_buckets);
  ike_.begin_sync(settings_.probes.ike);
  esp_.begin_sync(settings_.probes.esp);
  for (const auto& host : settings_.references)
    want_host({"", TargetRole::reference, host.name}, address_of(host), std::nullopt);
  for (const auto& target : settings_.targets) want_target(target);
  sync_remotes();
  for (const auto& tunnel : watch_.tunnels()) {
    const auto& s = tunnel->settings();
    const auto source = probe_source(s, tunnel->remote());
    want_host({s.name, TargetRole::gateway, s.remote.name}, tunnel->remote(), source);
    want_inner(*tunnel, own_addresses);
    if (s.kind == config::TunnelKind::ipsec) {
      ike_.want(*tunnel, source);
      esp_.want(*tunnel, source);
    }
  }
  echo_.end_sync();
  ike_.end_sync();
  esp_.end_sync();
  if (!started_) return;
  complain_about_marks();
  sync_responder();
}

void ProbeDriver::sync_responder() {
  std::vector<IpAddress> peers;
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured() && tunnel->remote()) peers.push_back(*tunnel->remote());
  }
  for (auto& complaint : responder_.sync(settings_.esp_responder, std::move(peers))) {
    log::warning("probe_unavailable", "reason=" + log::quoted(complaint));
    complaints_.push_back(std::move(complaint));
  }
}

void ProbeDriver::sync(const config::Settings& settings) {
  settings_ = settings;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    if (started_ && settings_.probes.ike.enabled && !ike_.is_open(family)) open_ike(family);
    if (started_ && settings_.probes.esp.enabled && !esp_.is_open(family)) open_esp(family);
  }
  sync_names();
  sync_targets();
  arm();
}

void ProbeDriver::resolve(TimePoint now) {
  for (const auto& name : names_.due(now)) {
    resolver_.resolve(name, [this](const io::Resolution& r) { on_resolved(r); });
  }
}

void ProbeDriver::on_resolved(const io::Resolution& r) {
  if (stopped_) return;
  if (r.addresses.empty())
    log::warning("name_unresolved", fmt::format("name={} reason={}", log::quoted(r.name), log::quoted(r.error)));
  const auto now = steady_now();
  const bool changed = names_.on_result(r.name, r.addresses, r.error, now);
  tell_lookup(r.name, now);
  if (!changed) return;
  log::info("name_resolved", fmt::format("name={} address={}", log::quoted(r.name), r.addresses.front().to_string()));
  sync_targets();
  arm();
}

void ProbeDriver::tell_lookup(const std::string& name, TimePoint now) {
  const NameState* state = names_.find(name);
  if (state == nullptr) return;
  for (const auto& tunnel : watch_.tunnels()) {
    const auto& remote = tunnel->settings().remote;
    if (!remote.address && remote.name == name)
      tunnel->evidence().names().on_lookup(name, state->failures_in_a_row, state->error, now);
  }
}

void ProbeDriver::drive() {
  if (stopped_) return;
  echo_.drain();
  echo_.advance(steady_now());
  if (const auto due = ike_.next_deadline(); due && *due <= steady_now()) {
    ike_.drain();
    ike_.advance(steady_now());
  }
  if (const auto due = esp_.next_deadline(); due && *due <= steady_now()) {
    esp_.drain();
    esp_.advance(steady_now());
  }
  arm();
}

void ProbeDriver::arm() {
  if (stopped_) return;
  std::optional<TimePoint> next = echo_.next_deadline();
  for (const auto& other : {ike_.next_deadline(), esp_.next_deadline()}) {
    if (other && (!next || *other < *next)) next = other;
  }
  if (!next) return;
  timer_->timer.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
  timer_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) drive();
  });
}

void ProbeDriver::tick(TimePoint now) {
  feed_.feed(echo_, watch_, now);
  lines_.feed(watch_, now);
  ike_.push(now);
  esp_.push(now);
  resolve(now);
  arm();
}

std::vector<std::pair<std::string, bool>> ProbeDriver::sources() const {
  std::vector<std::pair<std::string, bool>> list;
  const auto add = [&](IpFamily family, std::string_view suffix) {
    if (echo_.any_of(family)) list.emplace_back(fmt::format("icmp{}", suffix), echo_.sees(family));
    if (ike_.any_of(family)) list.emplace_back(fmt::format("ike_probe{}", suffix), ike_.sees(family));
    if (esp_.any_of(family)) list.emplace_back(fmt::format("esp_probe{}", suffix), esp_.sees(family));
  };
  add(IpFamily::v4, "_v4");
  add(IpFamily::v6, "_v6");
  return list;
}

void ProbeDriver::report(exporters::Report& report, const WallClock& clock) const {
  echo_.report(report, clock);
  names_.visit([&](const std::string& name, const NameState& s) {
    report.names.push_back({name, s.lookups > 0 && s.error.empty(), s.lookups, s.failures, s.changes});
  });
  ike_.report(report);
  esp_.report(report);
  responder_.report(report);
}

}  // namespace tunnelwatch::agent
